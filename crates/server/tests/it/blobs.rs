//! Places for bytes: a folder and a bucket keep the same promises.

use std::path::Path;

use bytes::BytesMut;
use futures_util::TryStreamExt as _;
use tidings_server::blobs::{BlobError, BlobName, Blobs, Folder, S3};
use tidings_testkit::S3Server;
use uuid::Uuid;

async fn put(blobs: &dyn Blobs, name: &BlobName, bytes: &[u8]) {
    let file = blobs.spool().join(Uuid::now_v7().to_string());
    std::fs::write(&file, bytes).unwrap();
    blobs.put(name, &file).await.unwrap();
}

async fn read(blobs: &dyn Blobs, name: &BlobName, from: u64, to: u64) -> Vec<u8> {
    let pieces = blobs.read(name, from..to).await.unwrap();
    pieces.try_collect::<BytesMut>().await.unwrap().to_vec()
}

async fn listed(blobs: &dyn Blobs, shard: &str) -> Vec<BlobName> {
    let mut names: Vec<_> =
        blobs.list(shard).await.unwrap().into_iter().map(|blob| blob.name).collect();
    names.sort();
    names
}

async fn keeps_its_promises(blobs: &dyn Blobs) {
    blobs.ping().await.unwrap();
    let name = BlobName::new(&[0xab; 32], Uuid::now_v7());
    assert!(matches!(blobs.read(&name, 0..1).await, Err(BlobError::NotFound { .. })));
    assert!(matches!(blobs.size(&name).await, Err(BlobError::NotFound { .. })));
    assert_eq!(listed(blobs, "ab").await, []);
    blobs.delete(&name).await.unwrap();

    put(blobs, &name, b"0123456789").await;
    assert_eq!(blobs.size(&name).await.unwrap(), 10);
    assert_eq!(read(blobs, &name, 0, 10).await, b"0123456789");
    assert_eq!(read(blobs, &name, 3, 5).await, b"34");
    assert_eq!(read(blobs, &name, 9, 10).await, b"9");
    assert!(matches!(blobs.read(&name, 5..11).await, Err(BlobError::NotFound { .. })));

    // Longer than one request to S3 carries.
    let long: Vec<u8> = (0..9_000_000_u32).map(|n| u8::try_from(n * 7 % 251).unwrap()).collect();
    let thumb = name.thumb(64);
    put(blobs, &thumb, &long).await;
    assert_eq!(blobs.size(&thumb).await.unwrap(), 9_000_000);
    assert_eq!(read(blobs, &thumb, 0, 9_000_000).await, long);
    assert_eq!(read(blobs, &thumb, 8_388_600, 8_388_620).await, long[8_388_600..8_388_620]);

    let other = BlobName::new(&[0xcd; 32], Uuid::now_v7());
    put(blobs, &other, b"other").await;
    assert_eq!(listed(blobs, "ab").await, [name.clone(), thumb.clone()]);
    assert_eq!(listed(blobs, "cd").await, [other]);
    for gone in [&name, &thumb, &name] {
        blobs.delete(gone).await.unwrap();
    }
    assert_eq!(listed(blobs, "ab").await, []);
    assert_eq!(std::fs::read_dir(blobs.spool()).unwrap().count(), left(blobs.spool()));
}

/// What may be left in the spool: a bucket leaves the files to whoever made them.
fn left(spool: &Path) -> usize {
    if spool.ends_with("s3") { 3 } else { 0 }
}

#[tokio::test]
async fn a_folder_keeps_its_promises() {
    let folder = tempfile::tempdir().unwrap();
    let blobs = Folder::open(folder.path().join("blobs")).unwrap();
    keeps_its_promises(&blobs).await;
}

#[tokio::test]
async fn a_bucket_keeps_its_promises() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let (server, spool) = (S3Server::start().await, tempfile::tempdir().unwrap());
    for prefix in ["", "a/b"] {
        let blobs = S3::open(server.options(prefix), spool.path().join("s3")).unwrap();
        keeps_its_promises(&blobs).await;
    }
    assert!(server.bucket().join("a/b/cd").is_dir());
}

#[tokio::test]
async fn a_bucket_that_does_not_answer_is_told_apart_from_one_without_the_blob() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let (server, spool) = (S3Server::start().await, tempfile::tempdir().unwrap());
    let mut options = server.options("");
    options.secret_access_key = Some("wrong".to_owned());
    let blobs = S3::open(options, spool.path()).unwrap();
    let name = BlobName::new(&[1; 32], Uuid::now_v7());
    for outcome in [blobs.ping().await, blobs.size(&name).await.map(drop)] {
        assert!(matches!(outcome, Err(BlobError::Unavailable { .. })), "{outcome:?}");
    }
}

#[test]
fn what_another_process_left_is_cleared_away() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder.path().join("spool")).unwrap();
    std::fs::write(folder.path().join("spool/half"), b"half").unwrap();
    Folder::open(folder.path()).unwrap();
    assert_eq!(std::fs::read_dir(folder.path().join("spool")).unwrap().count(), 0);
}
