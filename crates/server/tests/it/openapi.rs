use serde_json::Value;

use crate::world::World;

fn references(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            if let Some(Value::String(to)) = map.get("$ref") {
                found.push(to.clone());
            }
            map.values().for_each(|value| references(value, found));
        }
        Value::Array(list) => list.iter().for_each(|value| references(value, found)),
        _ => {}
    }
}

#[tokio::test]
async fn every_operation_is_described_whole() {
    let world = World::new().await;
    let document = world.get("", "/openapi.json").await.is(200);
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    let schemas = document["components"]["schemas"].as_object().unwrap();
    let mut operations = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            operations += 1;
            let at = format!("{method} {path}");
            assert!(operation["summary"].is_string(), "{at}");
            let responses = operation["responses"].as_object().unwrap();
            assert!(responses.len() >= 2, "{at}");
            let problem = &responses["default"]["content"]["application/problem+json"]["schema"];
            assert_eq!(problem["$ref"], "#/components/schemas/Problem", "{at}");
            for parameter in path.split('{').skip(1) {
                let name = parameter.split('}').next().unwrap();
                let described = operation["parameters"].as_array().unwrap();
                assert!(described.iter().any(|p| p["name"] == name && p["in"] == "path"), "{at}");
            }
            // A reaction, a block, a pin and a saved message are said whole by their path.
            let by_path =
                ["/reactions/", "/blocks/", "/pin", "/save"].iter().any(|part| path.contains(part));
            if matches!(method.as_str(), "patch" | "put") && !by_path {
                assert!(operation["requestBody"].is_object(), "{at}");
            }
        }
    }
    assert!(operations >= 50, "{operations}");
    // Every reference leads somewhere.
    let mut found = Vec::new();
    references(&document, &mut found);
    for to in found {
        let name = to.strip_prefix("#/components/schemas/").unwrap();
        assert!(schemas.contains_key(name), "{to}");
    }
}
