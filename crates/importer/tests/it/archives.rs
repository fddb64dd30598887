use std::io::{self, Cursor, Read, Seek, SeekFrom};
use std::path::Path;

use serde_json::json;
use tidings_importer::slack::{ArchiveError, ExportReader, Limits, OpenError, Options, Records};

use crate::export::{Export, said};

fn limited(limits: Limits) -> Options {
    Options { limits, ..Options::into_community("club") }
}

/// A day whose content packs a thousand to one.
fn bomb() -> Export {
    Export::new().day(&json!([said("1517449891.000001", &"x".repeat(1_000_000), json!({}))]))
}

#[test]
fn a_file_that_unpacks_to_too_much_is_passed_over() {
    let limits = Limits { entry_bytes: 100_000, ..Limits::default() };
    let mut records = bomb().open_with(&limited(limits)).unwrap().records();
    let count = records.by_ref().map(Result::unwrap).count();
    assert_eq!(count, 1 + 2 + 1);
    assert_eq!(records.report().bad_files, 1);
    assert!(records.report().notes[0].reason.contains("more than 100000 bytes"));
}

#[test]
fn an_archive_that_is_too_large_is_refused() {
    let error = |limits| bomb().open_with(&limited(limits)).unwrap_err();
    let too_large = error(Limits { total_bytes: 500_000, ..Limits::default() });
    assert!(
        matches!(too_large, OpenError::Archive(ArchiveError::TooLarge { max: 500_000 })),
        "{too_large}"
    );
    let too_many = error(Limits { entries: 2, ..Limits::default() });
    assert_eq!(too_many.to_string(), "the zip file holds 3 files; at most 2 are read");
}

#[test]
fn a_file_that_unpacks_to_more_than_it_claims_is_passed_over() {
    let export = Export::new()
        .file("ops/2018-02-01.json", &json!(["x".repeat(40_000)]))
        .file("ops/2018-02-02.json", &json!([said("1517449891.000001", "fine", json!({}))]));
    let mut zip = export.zip();
    // The central directory holds the unpacked size 24 bytes into each of its headers.
    let name = b"ops/2018-02-01.json";
    let at = (0..zip.len() - 46)
        .find(|&at| zip[at..].starts_with(b"PK\x01\x02") && zip[at + 46..].starts_with(name))
        .unwrap();
    zip[at + 24..at + 28].copy_from_slice(&10_u32.to_le_bytes());
    let mut records =
        ExportReader::new(Cursor::new(zip), &Options::into_community("club")).unwrap().records();
    let kinds: Vec<_> = records.by_ref().map(|it| it.unwrap().kind()).collect();
    assert_eq!(kinds.last(), Some(&"message"));
    assert_eq!(records.report().bad_files, 1);
}

/// A file on a disk that is taken away.
struct Unplugged {
    file: Cursor<Vec<u8>>,
    reads_left: usize,
}

impl Read for Unplugged {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.reads_left = self.reads_left.checked_sub(1).ok_or(io::Error::from_raw_os_error(5))?;
        self.file.read(buffer)
    }
}

impl Seek for Unplugged {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}

#[test]
fn a_file_that_can_no_longer_be_read_ends_the_reading() {
    let zip = Export::new().day(&json!([said("1517449891.000001", "x", json!({}))])).zip();
    let options = Options::into_community("club");
    let mut ended = 0;
    for reads_left in 0..200 {
        let file = Unplugged { file: Cursor::new(zip.clone()), reads_left };
        let Ok(reader) = ExportReader::new(file, &options) else { continue };
        let mut records = reader.records();
        if records.by_ref().any(|it| it.is_err()) {
            ended += 1;
            assert!(records.next().is_none());
        } else {
            assert_eq!(records.report().messages, 1);
        }
        assert_eq!(records.report().bad_files, 0);
    }
    assert!(ended > 0);
}

#[test]
fn names_in_the_archive_are_never_paths() {
    let outcome = Export::new()
        .raw("../../etc/2018-02-01.json", b"[]")
        .raw("/ops/2018-02-01.json", b"[]")
        .raw("ops/../2018-02-01.json", b"[]")
        .day(&json!([said("1517449891.000001", "fine", json!({}))]))
        .read();
    assert_eq!(outcome.bodies(), ["fine"]);
}

#[test]
fn an_export_in_a_folder_of_its_own_is_read_too() {
    let packed = Export::new()
        .without("users.json")
        .without("channels.json")
        .file("export/users.json", &json!([{"id": "U1", "name": "ana"}]))
        .file("export/channels.json", &json!([{"id": "C1", "name": "ops"}]))
        .file("export/ops/2018-02-01.json", &json!([said("1517449891.000001", "hi", json!({}))]))
        .file("__MACOSX/export/ops/._2018-02-01.json", &json!(0));
    let outcome = packed.read();
    assert_eq!(outcome.bodies(), ["hi"]);
    // Without a team in the list of users the slug tells workspaces apart.
    assert_eq!(outcome.messages()[0].source_id.as_str(), "slack:club:C1:1517449891.000001");
    assert_eq!(outcome.report.bad_files, 0);
}

#[test]
fn progress_reaches_its_end() {
    let reader =
        Export::new().day(&json!([said("1517449891.000001", "a", json!({})), {}])).open().unwrap();
    let totals = reader.totals();
    assert_eq!((totals.users, totals.channels, totals.files), (2, 1, 1));
    let mut records = reader.records();
    assert_eq!(records.progress().total_entries, None);
    records.next().unwrap().unwrap();
    assert_eq!(records.progress().total_entries, Some(2));
    assert_eq!(records.progress().done_bytes, totals.bytes);
    records.by_ref().for_each(drop);
    let end = records.progress();
    assert_eq!((end.done_bytes, end.done_entries), (end.total_bytes, 2));
}

#[test]
fn what_cannot_be_opened_is_refused_in_words() {
    let options = Options::into_community("club");
    let error = ExportReader::open(Path::new("/nowhere/x.zip"), &options).unwrap_err();
    assert_eq!(error.to_string(), "cannot open /nowhere/x.zip");
    let error = ExportReader::new(Cursor::new(b"not a zip".to_vec()), &options).unwrap_err();
    assert_eq!(error.to_string(), "this is not a readable zip file");
    let error = Export::new().open_with(&Options::into_community("No Slug")).unwrap_err();
    assert!(error.to_string().contains("\"No Slug\""), "{error}");
}

#[test]
fn reading_can_move_to_another_thread() {
    fn sendable<T: Send>() {}
    sendable::<ExportReader>();
    sendable::<Records>();
}
