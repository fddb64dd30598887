//! Small Slack exports.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// Writes an export of two people and two channels, with this many messages in `#ops` beside a
/// thread with a reaction and one broken record.
pub(crate) fn write(folder: &Path, messages: u64) -> PathBuf {
    let path = folder.join("export.zip");
    let mut zip = ZipWriter::new(File::create(&path).unwrap());
    let mut file = |name: &str, content: &Value| {
        zip.start_file(name, SimpleFileOptions::default()).unwrap();
        zip.write_all(content.to_string().as_bytes()).unwrap();
    };
    file("users.json", &json!([person("U1", "cleo"), person("U2", "dan")]));
    file("channels.json", &json!([channel("C1", "ops"), channel("C2", "random")]));
    let ops: Vec<_> = (0..messages)
        .map(|number| {
            // Text that does not compress or repeat, so that the database grows with it.
            let noise = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
            said(number, &format!("number {number} {noise:x}"), json!({}))
        })
        .collect();
    file("ops/2018-02-01.json", &json!(ops));
    let root = said(
        0,
        "who is on call? <@U2>",
        json!({"thread_ts": ts(0), "reply_count": 1,
        "reactions": [{"name": "eyes", "users": ["U2"], "count": 1}]}),
    );
    let reply = said(1, "me &amp; you", json!({"thread_ts": ts(0), "user": "U2"}));
    file("random/2018-02-01.json", &json!([root, reply, {"type": "message", "text": "lost"}]));
    zip.finish().unwrap();
    path
}

fn ts(number: u64) -> String {
    format!("{}.{:06}", 1_517_449_891 + number, 1)
}

fn said(number: u64, text: &str, more: Value) -> Value {
    let mut message = json!({"type": "message", "user": "U1", "ts": ts(number), "text": text});
    let fields = message.as_object_mut().unwrap();
    let Value::Object(more) = more else { panic!("fields are an object") };
    fields.extend(more);
    message
}

fn person(id: &str, name: &str) -> Value {
    json!({"id": id, "team_id": "T1", "name": name, "profile": {"real_name": name}})
}

fn channel(id: &str, name: &str) -> Value {
    json!({"id": id, "name": name, "created": 1_400_000_000, "creator": "U1",
           "members": ["U1", "U2"], "topic": {"value": ""}, "purpose": {"value": ""}})
}
