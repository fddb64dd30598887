//! What the tools of `bench/` promise, tried on the tools themselves.

mod ceiling;
