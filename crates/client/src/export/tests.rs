//! Every way in which an export can be wrong, named by the line.

use std::io::{Cursor, Read as _, Write as _};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::value::RawValue;
use sha2::{Digest as _, Sha256};
use tidings_domain::{ChannelId, CommunityId, LogId, Seq, Timestamp, UserId};
use tidings_identity::ExportSecret;
use tidings_wire::Entry;
use tidings_wire::chain::{GENESIS, Hash, commitment, entry_hash};
use tidings_wire::event::Header;
use tidings_wire::export::{
    Content, FORMAT, Head, LINES, LogHead, MediaPart, Record, Subject, media_part,
};
use tidings_wire::time::Time;
use uuid::Uuid;
use zip::{ZipArchive, ZipWriter};

use super::{Export, ExportError, Fault, Verified, Writer};

const BYTES: &[u8] = b"the bytes of a picture";

fn server() -> ExportSecret {
    ExportSecret::from_seed(&[7; 32])
}

/// Entries of one log, chained as the server chains them; `None` is one that was erased.
fn entries(log: LogId, data: &[Option<&str>]) -> (Vec<Entry>, Hash) {
    let (actor, community) = (UserId(Uuid::from_u128(3)), CommunityId(Uuid::from_u128(1)));
    let mut prev = GENESIS;
    let entries = data.iter().zip(1..).map(|(data, seq)| {
        let salt = [u8::try_from(seq).unwrap(); 32];
        let committed = commitment(&salt, data.unwrap_or("erased").as_bytes());
        let (at, kind) = (Timestamp(1_700_000_000_000), "message.created");
        let community = Some(community);
        let header = Header { actor, community, log, seq: Seq(seq), at, kind };
        let hash = entry_hash(&prev, &header.encode(), &committed);
        let entry = Entry {
            actor_id: actor.0,
            channel_id: log.channel().map(|id| id.0),
            community_id: community.map(|id| id.0),
            commitment: URL_SAFE_NO_PAD.encode(committed),
            data: data.map(|data| RawValue::from_string(data.to_owned()).unwrap()),
            hash: URL_SAFE_NO_PAD.encode(hash),
            log: log.to_string(),
            prev: URL_SAFE_NO_PAD.encode(prev),
            salt: data.map(|_| URL_SAFE_NO_PAD.encode(salt)),
            seq,
            timestamp: Time(at),
            kind: kind.to_owned(),
        };
        prev = hash;
        entry
    });
    let entries = entries.collect();
    (entries, prev)
}

/// What a good export says: line 1 the head, 2 a log, 3 to 5 its entries, 6 one person's entries in
/// another log, 7 one of them, 8 a record, 9 a file; 10 will be the signature.
fn good() -> Vec<Content> {
    let whole = LogId::Conversation(ChannelId(Uuid::from_u128(2)));
    let partial = LogId::Community(CommunityId(Uuid::from_u128(1)));
    let (all, head) =
        entries(whole, &[Some(r#"{"body":"hello"}"#), None, Some(r#"{"body":"bye"}"#)]);
    let (some, _) = entries(partial, &[Some("{}"), Some("{}")]);
    let mut contents = vec![
        Content::Export(Head {
            format: FORMAT,
            kind: Subject::User,
            id: Uuid::from_u128(3),
            name: "ana".to_owned(),
            private: true,
            head: 5,
            made_at: Time(Timestamp(1_700_000_000_000)),
            made_by: "test".to_owned(),
            key: server().public().to_string(),
        }),
        Content::Log(LogHead {
            log: whole.to_string(),
            head: Some(URL_SAFE_NO_PAD.encode(head)),
            entries: Some(3),
        }),
    ];
    contents.extend(all.into_iter().map(Content::Entry));
    contents.push(Content::Log(LogHead { log: partial.to_string(), head: None, entries: None }));
    contents.extend(some.into_iter().skip(1).map(Content::Entry));
    let row = serde_json::from_str(r#"{"username":"ana"}"#).unwrap();
    contents.push(Content::Record(Record { table: "users".to_owned(), row }));
    contents.push(Content::Media(MediaPart {
        id: Uuid::from_u128(4),
        filename: "a.png".to_owned(),
        content_type: "image/png".to_owned(),
        size: BYTES.len() as u64,
        sha256: sha256(),
        kept: true,
    }));
    contents
}

fn sha256() -> String {
    hex::encode(Sha256::digest(BYTES))
}

fn written(contents: Vec<Content>, key: &ExportSecret) -> Vec<u8> {
    let mut writer = Writer::new(Cursor::new(Vec::new()));
    writer.begin_media(&sha256()).unwrap();
    writer.media(BYTES).unwrap();
    for content in contents {
        writer.line(content).unwrap();
    }
    writer.finish(key).unwrap().into_inner()
}

fn verify(file: &[u8]) -> Result<Verified, ExportError> {
    Export::open(Cursor::new(file))?.verify(None, |_| ())
}

fn lines_of(file: &[u8]) -> Vec<Vec<u8>> {
    let mut zip = ZipArchive::new(Cursor::new(file)).unwrap();
    let mut text = Vec::new();
    zip.by_name(LINES).unwrap().read_to_end(&mut text).unwrap();
    text.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect()
}

/// The file with other lines, as whoever has a zip program can make it.
fn with_lines(lines: &[Vec<u8>]) -> Vec<u8> {
    with_parts(&[(&media_part(&sha256()), BYTES), (LINES, &lines.concat())])
}

fn with_parts(parts: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in parts {
        zip.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn wrong(line: u64, fault: Fault) -> Result<Verified, ExportError> {
    Err(ExportError::Line { line, fault })
}

#[test]
fn a_whole_export_is_proved() {
    let file = written(good(), &server());
    let verified = verify(&file).unwrap();
    assert_eq!((verified.lines, verified.logs, verified.partial_logs), (10, 1, 1));
    assert_eq!((verified.entries, verified.erased), (4, 1));
    assert_eq!((verified.records, verified.media, verified.media_gone), (1, 1, 0));
    assert!(!verified.key_matches);
    let mut export = Export::open(Cursor::new(&file)).unwrap();
    let mut seen = 0;
    let all = export.bytes();
    assert!(export.verify(Some(server().public()), |bytes| seen += bytes).unwrap().key_matches);
    assert_eq!(seen, all);
}

#[test]
fn every_kind_of_byte_of_every_line_counts() {
    let lines = lines_of(&written(good(), &server()));
    for (at, line) in lines.iter().enumerate() {
        // All of the hash, the number and what frames them; of what the line says, every seventh.
        let bytes = (0..line.len()).filter(|byte| *byte < 64 || byte % 7 == 0);
        for byte in bytes.chain([line.len() - 1]) {
            let mut changed = lines.clone();
            changed[at][byte] ^= 1;
            let found = verify(&with_lines(&changed));
            let named =
                matches!(&found, Err(ExportError::Line { line, .. }) if *line == at as u64 + 1);
            assert!(named, "line {} byte {byte}: {found:?}", at + 1);
        }
        let mut changed = lines.clone();
        changed[at].truncate(60);
        changed[at].push(b'\n');
        assert_eq!(verify(&with_lines(&changed)), wrong(at as u64 + 1, Fault::Changed));
    }
}

#[test]
fn a_line_that_is_missing_or_elsewhere_is_named() {
    let lines = lines_of(&written(good(), &server()));
    let last = lines.len() - 1;
    for at in 0..=last {
        let n = at as u64 + 1;
        let mut fewer = lines.clone();
        fewer.remove(at);
        let fault = if at == last { Fault::CutOff } else { Fault::Missing };
        assert_eq!(verify(&with_lines(&fewer)), wrong(n, fault), "without {n}");
        assert_eq!(verify(&with_lines(&lines[..at])), wrong(n, Fault::CutOff), "cut before {n}");
        let mut half = lines[..=at].to_vec();
        let length = half[at].len();
        half[at].truncate(length - 1);
        assert_eq!(verify(&with_lines(&half)), wrong(n, Fault::CutOff), "cut within {n}");
        let mut twice = lines.clone();
        twice.insert(at, lines[at].clone());
        let fault = if at == last { Fault::Surplus } else { Fault::Moved };
        assert_eq!(verify(&with_lines(&twice)), wrong(n + 1, fault), "{n} twice");
        if at < last {
            let mut swapped = lines.clone();
            swapped.swap(at, at + 1);
            assert_eq!(verify(&with_lines(&swapped)), wrong(n, Fault::Moved), "{n} swapped");
        }
    }
}

#[test]
fn another_signature_is_foreign() {
    let eve = ExportSecret::from_seed(&[8; 32]);
    // Eve chains her own lines anew under the name of the server.
    assert_eq!(verify(&written(good(), &eve)), wrong(10, Fault::Signature));
    // Under her own name they hang together, and are not those of the server.
    let mut contents = good();
    if let Some(Content::Export(head)) = contents.first_mut() {
        head.key = eve.public().to_string();
    }
    let file = written(contents, &eve);
    verify(&file).unwrap();
    let found = Export::open(Cursor::new(&file)).unwrap().verify(Some(server().public()), |_| ());
    assert_eq!(found, wrong(1, Fault::ForeignKey { found: eve.public().to_string() }));
}

#[test]
fn even_the_server_cannot_change_its_log() {
    let change = |at: usize, change: &dyn Fn(&mut Entry)| {
        let mut contents = good();
        if let Some(Content::Entry(entry)) = contents.get_mut(at) {
            change(entry);
        }
        verify(&written(contents, &server()))
    };
    let other = || RawValue::from_string(r#"{"body":"other"}"#.to_owned()).unwrap();
    assert_eq!(change(2, &|entry| entry.data = Some(other())), wrong(3, Fault::Data));
    assert_eq!(change(2, &|entry| entry.salt = None), wrong(3, Fault::Data));
    assert_eq!(change(3, &|entry| entry.actor_id = Uuid::nil()), wrong(4, Fault::Header));
    assert_eq!(change(3, &|entry| entry.kind = "x".to_owned()), wrong(4, Fault::Header));
    assert_eq!(change(3, &|entry| entry.log = "c:x".to_owned()), wrong(4, Fault::Header));
    assert_eq!(change(4, &|entry| entry.seq = 4), wrong(5, Fault::Order));
    assert_eq!(change(6, &|entry| entry.timestamp = Time(Timestamp(0))), wrong(7, Fault::Header));
    let mut fewer = good();
    fewer.remove(4);
    let log = LogId::Conversation(ChannelId(Uuid::from_u128(2))).to_string();
    assert_eq!(verify(&written(fewer, &server())), wrong(5, Fault::Incomplete { log }));
    let mut fewer = good();
    fewer.remove(2);
    assert_eq!(verify(&written(fewer, &server())), wrong(3, Fault::Order));
    let mut newer = good();
    if let Some(Content::Export(head)) = newer.first_mut() {
        head.format = 2;
    }
    assert_eq!(verify(&written(newer, &server())), wrong(1, Fault::Format { found: 2 }));
}

#[test]
fn files_are_held_against_the_lines_that_name_them() {
    let text = lines_of(&written(good(), &server())).concat();
    let name = media_part(&sha256());
    assert_eq!(verify(&with_parts(&[(LINES, &text)])), wrong(9, Fault::MediaMissing));
    let changed = verify(&with_parts(&[(&name, b"other"), (LINES, &text)]));
    assert_eq!(changed, wrong(9, Fault::MediaChanged));
    let more = verify(&with_parts(&[(&name, BYTES), (LINES, &text), ("run.exe", b"")]));
    assert_eq!(more, Err(ExportError::Part { name: "run.exe".to_owned() }));
}

#[test]
fn whatever_is_no_export_is_refused() {
    let file = written(good(), &server());
    for cut in [0, 1, file.len() / 2, file.len() - 1] {
        let found = verify(&file[..cut]);
        assert!(matches!(found, Err(ExportError::Unreadable { .. })), "cut at {cut}: {found:?}");
    }
    let found = verify(&with_parts(&[("readme", b"hello")]));
    assert!(matches!(found, Err(ExportError::Unreadable { .. })), "{found:?}");
}
