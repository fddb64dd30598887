//! Files: uploading, reading, and who may.

use axum::body::Body;
use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode, header};
use serde_json::{Value, json};

use crate::world::{Answer, Person, World, nowhere, request, text};

/// A request that uploads raw bytes.
pub(crate) fn raw(token: &str, name: &str, kind: &str, bytes: impl Into<Body>) -> Request<Body> {
    let mut request = request(token, Method::POST, "/v1/media", None);
    let headers = request.headers_mut();
    headers.insert("x-filename", name.parse().unwrap());
    headers.insert(header::CONTENT_TYPE, kind.parse().unwrap());
    *request.body_mut() = bytes.into();
    request
}

pub(crate) async fn upload(world: &World, by: &Person, name: &str, bytes: &[u8]) -> Value {
    let request = raw(&by.token, name, "application/octet-stream", bytes.to_vec());
    world.send(request).await.is(201)
}

/// Posts a message that carries files.
pub(crate) async fn carry(world: &World, by: &Person, channel: &str, files: &[&Value]) -> Answer {
    let ids: Vec<_> = files.iter().map(|file| file["id"].clone()).collect();
    let message = json!({"client_id": world.app.new_id().to_string(), "attachments": ids});
    world.post(&by.token, &format!("/v1/channels/{channel}/messages"), message).await
}

async fn look(
    world: &World,
    by: &Person,
    file: &Value,
    headers: &[(&str, &str)],
) -> (StatusCode, HeaderMap, Bytes) {
    let path = format!("/v1/media/{}", file["id"].as_str().unwrap());
    let mut request = request(&by.token, Method::GET, &path, None);
    for (name, value) in headers {
        let name: http::HeaderName = name.parse().unwrap();
        request.headers_mut().insert(name, value.parse().unwrap());
    }
    world.look(request).await
}

async fn status(world: &World, by: &Person, file: &Value) -> u16 {
    look(world, by, file, &[]).await.0.as_u16()
}

/// All files under the place for files, uploads that are under way too.
fn kept(world: &World) -> usize {
    let folders = std::fs::read_dir(world.files.path()).unwrap();
    folders.map(|folder| std::fs::read_dir(folder.unwrap().path()).unwrap().count()).sum()
}

#[tokio::test]
async fn a_file_comes_back_as_it_went() {
    let world = World::new().await;
    let ana = world.owner().await;
    let bytes: Vec<u8> = (0..300_000_u32).map(|n| (n * 7 % 251) as u8).collect();
    let file = upload(&world, &ana, "%C3%BCber.bin", &bytes).await;
    assert_eq!(file["filename"], "über.bin");
    assert_eq!(file["content_type"], "application/octet-stream");
    assert_eq!(file["size"], bytes.len());
    let sha256 = hex::encode(<sha2::Sha256 as sha2::Digest>::digest(&bytes));
    assert_eq!(file["sha256"], sha256.as_str());
    assert!(file.get("width").is_none() && file.get("thumb").is_none());

    let (status, headers, body) = look(&world, &ana, &file, &[]).await;
    assert_eq!((status.as_u16(), body == bytes), (200, true));
    assert_eq!(headers[header::CONTENT_LENGTH], "300000");
    assert_eq!(headers[header::ETAG], format!("\"{sha256}\""));
    assert_eq!(headers[header::CACHE_CONTROL], "private, max-age=31536000, immutable");
    assert_eq!(headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
    assert_eq!(headers[header::ACCEPT_RANGES], "bytes");
    let policy = headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
    assert!(policy.contains("sandbox") && policy.contains("default-src 'none'"), "{policy}");
    assert_eq!(
        headers[header::CONTENT_DISPOSITION],
        "attachment; filename=\"_ber.bin\"; filename*=UTF-8''%C3%BCber.bin"
    );
}

#[tokio::test]
async fn a_form_carries_a_file_too() {
    let world = World::new().await;
    let ana = world.owner().await;
    let form = |body: &str| {
        let mut request =
            raw(&ana.token, "ignored", "multipart/form-data; boundary=XX", body.to_owned());
        request.headers_mut().remove("x-filename");
        request
    };
    let good = "--XX\r\nContent-Disposition: form-data; name=\"note\"\r\n\r\nhi\r\n\
                --XX\r\nContent-Disposition: form-data; name=\"file\"; filename=\"../a.txt\"\r\n\
                Content-Type: text/markdown\r\n\r\n# hello\r\n--XX--\r\n";
    let file = world.send(form(good)).await.is(201);
    assert_eq!(
        (&file["filename"], &file["content_type"]),
        (&json!("a.txt"), &json!("text/markdown"))
    );
    assert_eq!(look(&world, &ana, &file, &[]).await.2, "# hello");
    // What broke off is no file, and neither is a form without one.
    let before = kept(&world);
    for bad in [
        &good[..good.len() - 12],
        "--XX\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nb\r\n--XX--\r\n",
        "",
        "junk",
    ] {
        world.send(form(bad)).await.refused(400, "bad_request");
    }
    let bare = raw(&ana.token, "a", "multipart/form-data", good.to_owned());
    world.send(bare).await.refused(400, "bad_request");
    assert_eq!(kept(&world), before);
}

#[tokio::test]
async fn parts_and_copies_are_answered() {
    let world = World::new().await;
    let ana = world.owner().await;
    let file = upload(&world, &ana, "digits", b"0123456789").await;
    let tag = format!("\"{}\"", text(&file["sha256"]));
    for (range, expected, part) in [
        ("bytes=2-4", "bytes 2-4/10", "234"),
        ("bytes=7-", "bytes 7-9/10", "789"),
        ("bytes=-2", "bytes 8-9/10", "89"),
        ("bytes=0-0", "bytes 0-0/10", "0"),
        ("bytes=5-999", "bytes 5-9/10", "56789"),
    ] {
        let (status, headers, body) = look(&world, &ana, &file, &[("range", range)]).await;
        assert_eq!(status, StatusCode::PARTIAL_CONTENT, "{range}");
        assert_eq!(headers[header::CONTENT_RANGE], expected);
        assert_eq!(headers[header::CONTENT_LENGTH], part.len().to_string());
        assert_eq!(body, part);
    }
    for range in ["bytes=4-2", "bytes=0-1,3-4", "items=0-1", "bytes=x", "bytes"] {
        let (status, _, body) = look(&world, &ana, &file, &[("range", range)]).await;
        assert_eq!((status.as_u16(), body), (200, Bytes::from("0123456789")), "{range}");
    }
    for range in ["bytes=10-", "bytes=99-100", "bytes=-0"] {
        let (status, headers, body) = look(&world, &ana, &file, &[("range", range)]).await;
        assert_eq!(status, StatusCode::RANGE_NOT_SATISFIABLE, "{range}");
        assert_eq!(headers[header::CONTENT_RANGE], "bytes */10");
        let problem: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(problem["code"], "range_not_satisfiable");
    }
    let part = ("range", "bytes=0-0");
    let (status, ..) = look(&world, &ana, &file, &[part, ("if-range", &tag)]).await;
    assert_eq!(status, StatusCode::PARTIAL_CONTENT);
    let (status, ..) = look(&world, &ana, &file, &[part, ("if-range", "\"other\"")]).await;
    assert_eq!(status, StatusCode::OK);
    let (status, headers, body) = look(&world, &ana, &file, &[("if-none-match", &tag)]).await;
    assert_eq!((status, body), (StatusCode::NOT_MODIFIED, Bytes::new()));
    assert_eq!(headers[header::ETAG], tag);

    let path = format!("/v1/media/{}", text(&file["id"]));
    let (status, headers, body) = world.look(request(&ana.token, Method::HEAD, &path, None)).await;
    assert_eq!((status, body), (StatusCode::OK, Bytes::new()));
    assert_eq!(headers[header::CONTENT_LENGTH], "10");
}

#[tokio::test]
async fn only_what_is_carried_is_seen() {
    let world = World::new().await;
    let ana = world.owner().await;
    let (acme, general) = world.community(&ana, "acme").await;
    let bo = world.member(&ana, &acme, "bo").await;
    let (other, _) = world.community(&ana, "other").await;
    let eve = world.member(&ana, &other, "eve").await;
    let secret =
        world.channel(&ana, &acme, json!({"name": "secret", "visibility": "private"})).await;

    let file = upload(&world, &ana, "plan.txt", b"the plan").await;
    assert_eq!((status(&world, &ana, &file).await, status(&world, &bo, &file).await), (200, 404));
    let hidden = carry(&world, &ana, &secret, &[&file]).await.is(201);
    assert_eq!(hidden["attachments"], json!([file]));
    assert_eq!(status(&world, &bo, &file).await, 404);
    let shown = carry(&world, &ana, &general, &[&file]).await.is(201);
    for (person, expected) in [(&ana, 200), (&bo, 200), (&eve, 404)] {
        assert_eq!(status(&world, person, &file).await, expected, "{}", person.name);
    }
    let path = format!("/v1/media/{}", text(&file["id"]));
    world.get("", &path).await.refused(401, "unauthorized");

    // One message less: who could see only that one sees nothing any more.
    let remove = async |message: &Value| {
        let path = format!("/v1/messages/{}", text(&message["id"]));
        world.delete(&ana.token, &path).await.is(204);
    };
    remove(&shown).await;
    assert_eq!((status(&world, &ana, &file).await, status(&world, &bo, &file).await), (200, 404));
    remove(&hidden).await;
    assert_eq!((status(&world, &ana, &file).await, status(&world, &bo, &file).await), (404, 404));
    carry(&world, &ana, &general, &[&file]).await.refused(422, "unprocessable");
}

#[tokio::test]
async fn only_own_files_are_carried() {
    let world = World::new().await;
    let ana = world.owner().await;
    let (acme, general) = world.community(&ana, "acme").await;
    let bo = world.member(&ana, &acme, "bo").await;
    let side = world.channel(&ana, &acme, json!({"name": "side"})).await;
    let file = upload(&world, &ana, "a", b"a").await;
    let refused = carry(&world, &bo, &general, &[&file]).await.refused(422, "unprocessable");
    assert_eq!(refused["errors"][0]["field"], "attachments");
    let unknown = carry(&world, &bo, &general, &[&json!({"id": nowhere()})]).await;
    let unknown = unknown.refused(422, "unprocessable");
    assert_eq!(refused["errors"][0]["code"], unknown["errors"][0]["code"]);
    carry(&world, &ana, &general, &[&file, &file]).await.refused(422, "unprocessable");

    let mut bound = raw(&ana.token, "b", "text/plain", "b");
    *bound.uri_mut() = format!("/v1/media?channel={side}").parse().unwrap();
    let bound = world.send(bound).await.is(201);
    carry(&world, &ana, &general, &[&bound]).await.refused(422, "unprocessable");
    carry(&world, &ana, &side, &[&bound]).await.is(201);
    let mut nowhere_bound = raw(&ana.token, "b", "text/plain", "b");
    *nowhere_bound.uri_mut() = format!("/v1/media?channel={}", nowhere()).parse().unwrap();
    world.send(nowhere_bound).await.refused(404, "not_found");
}

#[tokio::test]
async fn a_message_of_files_alone_may_be_silent_and_is_sent_once() {
    let world = World::new().await;
    let ana = world.owner().await;
    let (_, general) = world.community(&ana, "acme").await;
    let file = upload(&world, &ana, "a", b"a").await;
    let path = format!("/v1/channels/{general}/messages");
    let body = json!({"client_id": "1", "body": "", "attachments": [file["id"]]});
    let first = world.post(&ana.token, &path, body.clone()).await.is(201);
    assert_eq!(world.post(&ana.token, &path, body).await.is(200)["id"], first["id"]);
    let other = json!({"client_id": "1", "body": "", "attachments": []});
    world.post(&ana.token, &path, other).await.refused(422, "unprocessable");
    let other = upload(&world, &ana, "b", b"b").await;
    let other = json!({"client_id": "1", "body": "", "attachments": [other["id"]]});
    world.post(&ana.token, &path, other).await.refused(422, "idempotency_mismatch");

    // Edits keep what is carried, and lists and searches show it.
    let message = format!("/v1/messages/{}", text(&first["id"]));
    let edited = world.patch(&ana.token, &message, json!({"body": "see"})).await.is(200);
    assert_eq!(edited["attachments"], json!([file]));
    world.patch(&ana.token, &message, json!({"body": ""})).await.is(200);
    let list = world.get(&ana.token, &path).await.is(200);
    assert_eq!(list["items"][0]["attachments"], json!([file]));
    for (query, found) in [("has:file", 1), ("has:image", 0)] {
        let hits = world.get(&ana.token, &format!("/v1/search?q={query}")).await.is(200);
        assert_eq!(hits["items"].as_array().unwrap().len(), found, "{query}");
    }
    world.delete(&ana.token, &message).await.is(204);
    assert_eq!(world.get(&ana.token, &message).await.is(200)["attachments"], json!([]));
}

#[tokio::test]
async fn equal_bytes_are_kept_once() {
    let world = World::new().await;
    let ana = world.owner().await;
    let one = upload(&world, &ana, "one", b"the same").await;
    let files = kept(&world);
    let two = upload(&world, &ana, "two", b"the same").await;
    assert_ne!(one["id"], two["id"]);
    assert_eq!((kept(&world), &two["filename"]), (files, &json!("two")));
    assert_eq!(look(&world, &ana, &two, &[]).await.2, "the same");
}

#[tokio::test]
async fn nothing_that_was_uploaded_runs() {
    let world = World::new().await;
    let ana = world.owner().await;
    for (name, claimed, bytes, kind) in [
        ("a.png", "image/png", "<!doctype html><script>alert(1)</script>", "text/html"),
        ("a.jpg", "image/jpeg", "<svg onload=alert(1)>", "image/svg+xml"),
        ("a.html", "text/html", "<?xml version=\"1.0\"?><x:html xmlns:x=\"y\"/>", "text/xml"),
        ("a.js", "text/javascript", "alert(1)", "text/plain"),
        ("a.svg", "image/svg+xml", "plain words", "text/plain"),
    ] {
        let request = raw(&ana.token, name, claimed, bytes);
        let file = world.send(request).await.is(201);
        assert_eq!(file["content_type"], kind, "{bytes}");
        let (_, headers, _) = look(&world, &ana, &file, &[]).await;
        let served = headers[header::CONTENT_TYPE].to_str().unwrap();
        assert!(
            ["application/octet-stream", "text/plain; charset=utf-8"].contains(&served),
            "{served}"
        );
        assert_eq!(headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
        assert!(headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap().contains("sandbox"));
        let attached =
            headers[header::CONTENT_DISPOSITION].to_str().unwrap().starts_with("attachment");
        assert!(attached || kind == "text/plain", "{bytes}");
    }
}

#[tokio::test]
async fn names_lead_nowhere() {
    let world = World::new().await;
    let ana = world.owner().await;
    let before = kept(&world);
    let long = "x".repeat(4096);
    for (number, name) in [
        "../../../etc/passwd",
        "..%2f..%2fetc%2fpasswd",
        "a%00b",
        "a%0d%0aSet-Cookie:%20a=b",
        "%E2%80%AEgpj.exe",
        "/",
        "..",
        "C:\\boot.ini",
        "\"; filename=\"x",
        &long,
    ]
    .into_iter()
    .enumerate()
    {
        let file = upload(&world, &ana, name, format!("{number}").as_bytes()).await;
        let given = text(&file["filename"]);
        assert!(!given.is_empty() && given.len() <= 255, "{given}");
        assert!(!given.contains(['/', '\\', '\0', '\r', '\n', '\u{202e}']), "{given:?}");
        let (status, headers, _) = look(&world, &ana, &file, &[]).await;
        assert_eq!(status, StatusCode::OK);
        assert!(headers.get(header::SET_COOKIE).is_none());
    }
    // Each lies in the place for files, under a name of our own, and nowhere else.
    assert_eq!(kept(&world), before + 10);
    for folder in std::fs::read_dir(world.files.path()).unwrap() {
        for file in std::fs::read_dir(folder.unwrap().path()).unwrap() {
            let name = file.unwrap().file_name().into_string().unwrap();
            assert!(name.parse::<tidings_server::blobs::BlobName>().is_ok(), "{name}");
        }
    }
}

#[tokio::test]
async fn files_that_are_too_large_empty_or_cut_are_refused() {
    let world = World::with(|settings| settings.attachment_bytes = 1000).await;
    let ana = world.owner().await;
    let limits = world.get("", "/.well-known/tidings").await.is(200)["limits"].clone();
    assert_eq!(limits["attachment_bytes"], 1000);
    let before = kept(&world);
    let announced = |size: usize| {
        let mut request = raw(&ana.token, "a", "text/plain", "x".repeat(size));
        request.headers_mut().insert(header::CONTENT_LENGTH, size.into());
        request
    };
    world.send(announced(1001)).await.refused(413, "too_large");
    world
        .send(raw(&ana.token, "a", "text/plain", "x".repeat(1001)))
        .await
        .refused(413, "too_large");
    world.send(raw(&ana.token, "a", "text/plain", "")).await.refused(422, "unprocessable");
    let broken = futures_util::stream::iter([
        Ok(Bytes::from("half of it")),
        Err(std::io::Error::from(std::io::ErrorKind::ConnectionReset)),
    ]);
    let broken = raw(&ana.token, "a", "text/plain", Body::from_stream(broken));
    world.send(broken).await.refused(400, "bad_request");
    world.send(raw("", "a", "text/plain", "x")).await.refused(401, "unauthorized");
    assert_eq!(kept(&world), before);
    world.send(announced(1000)).await.is(201);
}

#[tokio::test]
async fn a_person_has_so_much_room_and_no_more() {
    let world = World::with(|settings| settings.storage_per_user = 100).await;
    let ana = world.owner().await;
    let (acme, general) = world.community(&ana, "acme").await;
    let bo = world.member(&ana, &acme, "bo").await;
    let most = upload(&world, &ana, "a", &[b'a'; 60]).await;
    let before = kept(&world);
    let more = |size: usize| raw(&ana.token, "b", "text/plain", "b".repeat(size));
    world.send(more(41)).await.refused(507, "storage_full");
    let mut announced = more(41);
    announced.headers_mut().insert(header::CONTENT_LENGTH, 41.into());
    world.send(announced).await.refused(507, "storage_full");
    // The same bytes again lie on the disk once, and count twice.
    world
        .send(raw(&ana.token, "c", "text/plain", "a".repeat(60)))
        .await
        .refused(507, "storage_full");
    assert_eq!(kept(&world), before);
    upload(&world, &bo, "b", &[b'b'; 100]).await;
    carry(&world, &ana, &general, &[&most]).await.is(201);
    world.send(more(40)).await.is(201);
}

#[tokio::test]
async fn uploads_have_a_limit() {
    let world = World::with(|settings| settings.limits.uploads = 2).await;
    let ana = world.owner().await;
    for n in ["1", "2"] {
        upload(&world, &ana, n, n.as_bytes()).await;
    }
    let third = world.send(raw(&ana.token, "3", "text/plain", "3")).await;
    assert!(third.headers.contains_key(header::RETRY_AFTER));
    third.refused(429, "rate_limited");
}

fn gradient(width: u32, height: u32, format: image::ImageFormat) -> Vec<u8> {
    let part = |at: u32| u8::try_from(at % 256).unwrap();
    let pixel = |x, y| image::Rgb([part(x), part(y), 7]);
    let picture = image::DynamicImage::from(image::RgbImage::from_fn(width, height, pixel));
    let mut bytes = std::io::Cursor::new(Vec::new());
    picture.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

/// A JPEG that stands on its side and says where it was taken.
fn told_by_a_camera() -> Vec<u8> {
    let plain = gradient(40, 30, image::ImageFormat::Jpeg);
    let mut exif =
        b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0".to_vec();
    exif.extend_from_slice(b"GPS 52.5200 N");
    let length = u16::try_from(exif.len() + 2).unwrap().to_be_bytes();
    [&plain[..2], &[0xff, 0xe1], &length, &exif, &plain[2..]].concat()
}

#[tokio::test]
async fn a_picture_has_a_size_and_smaller_ones() {
    let world = World::new().await;
    let ana = world.owner().await;
    for (format, kind) in [
        (image::ImageFormat::Png, "image/png"),
        (image::ImageFormat::Jpeg, "image/jpeg"),
        (image::ImageFormat::Gif, "image/gif"),
        (image::ImageFormat::WebP, "image/webp"),
    ] {
        let file = upload(&world, &ana, "a.txt", &gradient(600, 300, format)).await;
        assert_eq!(
            (&file["content_type"], &file["width"], &file["height"]),
            (&json!(kind), &json!(600), &json!(300))
        );
        let thumb = text(&file["thumb"]);
        assert_eq!(thumb, format!("/v1/media/{}/thumb", text(&file["id"])));
        let before = kept(&world);
        for (query, width) in [("", 256), ("?w=100", 128), ("?w=128", 128), ("?w=4000", 600)] {
            let path = format!("{thumb}{query}");
            let (status, headers, body) =
                world.look(request(&ana.token, Method::GET, &path, None)).await;
            assert_eq!(status, StatusCode::OK, "{path}");
            let small = image::load_from_memory(&body).unwrap();
            assert_eq!((small.width(), small.height()), (width, width / 2), "{path}");
            assert_eq!(headers[header::CONTENT_LENGTH], body.len().to_string());
            assert!(headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap().contains("sandbox"));
            let mut again = request(&ana.token, Method::GET, &path, None);
            again.headers_mut().insert(header::IF_NONE_MATCH, headers[header::ETAG].clone());
            assert_eq!(world.look(again).await.0, StatusCode::NOT_MODIFIED);
        }
        assert_eq!(kept(&world), before + 3);
        for bad in ["?w=0", "?w=4097"] {
            let path = format!("{thumb}{bad}");
            world.get(&ana.token, &path).await.refused(422, "unprocessable");
        }
        world.get(&ana.token, &format!("{thumb}?w=x")).await.refused(400, "bad_request");
    }
}

#[tokio::test]
async fn a_picture_does_not_tell_where_it_was_taken() {
    let world = World::new().await;
    let ana = world.owner().await;
    let sent = told_by_a_camera();
    let file = upload(&world, &ana, "a.jpg", &sent).await;
    assert_eq!((&file["width"], &file["height"]), (&json!(30), &json!(40)));
    let served = look(&world, &ana, &file, &[]).await.2;
    for secret in [&b"Exif"[..], b"GPS"] {
        assert!(!served.windows(secret.len()).any(|window| window == secret));
    }
    assert_eq!(file["size"], served.len());
    let sha256 = hex::encode(<sha2::Sha256 as sha2::Digest>::digest(&served));
    assert_eq!(file["sha256"], sha256.as_str());
}

#[tokio::test]
async fn bombs_do_not_go_off() {
    let world = World::new().await;
    let ana = world.owner().await;
    let before = kept(&world);
    let mut wide = gradient(8, 8, image::ImageFormat::Png);
    wide[16..24].copy_from_slice(&[0, 0, 0xea, 0x60, 0, 0, 0xea, 0x60]);
    let frame = b"\x2c\0\0\0\0\x01\0\x01\0\0\x02\x02\x44\x01\0";
    let mut long = b"GIF89a\x01\0\x01\0\x80\0\0\0\0\0\xff\xff\xff".to_vec();
    long.extend(frame.repeat(501));
    long.push(0x3b);
    let whole = gradient(64, 64, image::ImageFormat::Png);
    for (what, bytes) in
        [("wide", wide), ("long", long), ("cut", whole[..whole.len() / 2].to_vec())]
    {
        let answer = world.send(raw(&ana.token, "a.png", "image/png", bytes)).await;
        let problem = answer.refused(422, "unprocessable");
        assert_eq!(problem["errors"][0]["code"], "picture", "{what}");
    }
    assert_eq!(kept(&world), before);
    // Sound by its header, and rubbish inside: it is kept, and there is no smaller picture of it.
    let mut mangled = gradient(64, 64, image::ImageFormat::Png);
    let data = mangled.windows(4).position(|name| name == b"IDAT").unwrap() + 4;
    mangled[data..data + 20].fill(0xff);
    let file = upload(&world, &ana, "a.png", &mangled).await;
    assert_eq!(status(&world, &ana, &file).await, 200);
    world.get(&ana.token, file["thumb"].as_str().unwrap()).await.refused(422, "unprocessable");
}

#[tokio::test]
async fn what_nothing_carries_is_swept_away() {
    let world = World::new().await;
    // The times of files on a disk are those of the world outside.
    let today = std::fs::metadata(world.files.path()).unwrap().modified().unwrap();
    let today = today.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    world.wait(i64::try_from(today).unwrap() - world.app.now().0 / 1000);
    let ana = world.owner().await;
    let (_, general) = world.community(&ana, "acme").await;
    let picture = gradient(100, 100, image::ImageFormat::Png);
    let carried = upload(&world, &ana, "a.png", &picture).await;
    let twin = upload(&world, &ana, "b.png", &picture).await;
    upload(&world, &ana, "c", b"never sent").await;
    let thumb = request(&ana.token, Method::GET, carried["thumb"].as_str().unwrap(), None);
    assert_eq!(world.look(thumb).await.0, StatusCode::OK);
    let one = carry(&world, &ana, &general, &[&carried]).await.is(201);
    let two = carry(&world, &ana, &general, &[&twin]).await.is(201);
    let sweep = async || {
        let swept = world.app.media().sweep().await.unwrap();
        (swept.media, swept.blobs)
    };
    let delete = async |message: &Value| {
        world.delete(&ana.token, &format!("/v1/messages/{}", text(&message["id"]))).await.is(204)
    };
    assert_eq!((sweep().await, kept(&world)), ((0, 0), 3));
    delete(&one).await;
    assert_eq!((sweep().await, kept(&world)), ((1, 0), 3));
    assert_eq!(status(&world, &ana, &twin).await, 200);
    delete(&two).await;
    assert_eq!((sweep().await, kept(&world)), ((1, 1), 1));
    // What came back meanwhile stays, and so does what was never sent, for a day.
    let again = upload(&world, &ana, "a.png", &picture).await;
    assert_eq!((sweep().await, kept(&world)), ((0, 0), 2));
    carry(&world, &ana, &general, &[&again]).await.is(201);
    // A blob that no row knows of: somebody pulled the plug.
    let stray = tidings_server::blobs::BlobName::new(&[0; 32], world.app.new_id());
    let folder = world.files.path().join(stray.shard());
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join(stray.as_str()), b"stray").unwrap();
    assert_eq!((sweep().await, kept(&world)), ((0, 0), 3));
    world.wait(2 * 24 * 3600);
    assert_eq!((sweep().await, kept(&world)), ((1, 2), 1));
    assert_eq!(look(&world, &ana, &again, &[]).await.2, picture);
}
