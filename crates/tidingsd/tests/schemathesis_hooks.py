"""What the tests of openapi.rs change in requests before they are sent."""

import schemathesis


def whole(value):
    """262.0 is an integer to JSON Schema; our parser, like most, wants it written as one."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {key: whole(item) for key, item in value.items()}
    if isinstance(value, list):
        return [whole(item) for item in value]
    return value


@schemathesis.hook
def map_body(context, body):
    return whole(body)
