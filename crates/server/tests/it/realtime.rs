//! One cursor on three transports, over real sockets.

mod ahead;
mod presence;
pub(crate) mod sockets;

use serde_json::{Value, json};
use sockets::{Stream, Ws, http, say, token};
use tidings_domain::{ChannelId, CommunityId, UserId};
use tidings_testkit::{Backend, Person, World};
use tidings_wire::channel::CreateChannel;
use tidings_wire::community::CreateInvite;

/// Two people in one channel.
struct Room {
    world: World,
    ana: Person,
    ben: Person,
    community: CommunityId,
    channel: ChannelId,
}

async fn room_on(backend: Backend) -> Room {
    room_in(World::on(1, backend).await).await
}

async fn room_in(world: World) -> Room {
    let (ana, ben) = (world.person("ana").await, world.person("ben").await);
    let community = ana.client().create_community("Crew", "crew").await.unwrap();
    let community = CommunityId(community.id);
    let invite = ana.client().create_invite(community, &CreateInvite::default()).await.unwrap();
    let code = tidings_domain::InviteCode(invite.code);
    ben.client().accept_invite(&code).await.unwrap();
    let channel = create(&ana, community, "ops").await;
    ben.client().join_channel(channel).await.unwrap();
    Room { world, ana, ben, community, channel }
}

async fn room() -> Room {
    room_on(Backend::Memory).await
}

async fn create(owner: &Person, community: CommunityId, name: &str) -> ChannelId {
    let channel = CreateChannel {
        name: name.to_owned(),
        channel_type: "text".to_owned(),
        visibility: "public".to_owned(),
        kind: "open".to_owned(),
        topic: None,
        category: None,
    };
    ChannelId(owner.client().create_channel(community, &channel).await.unwrap().id)
}

/// `GET /v1/sync` as JSON.
async fn sync(room: &Room, token: &str, query: &str) -> (u16, Value) {
    let url = format!("{}/v1/sync{query}", room.world.server().origin());
    let answer = http().get(url).bearer_auth(token).send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

/// The bodies of the messages among events.
fn bodies(events: &[Value]) -> Vec<&str> {
    let created = events.iter().filter(|event| event["type"] == "message.created");
    created.map(|event| event["data"]["body"].as_str().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_loop_around_sync_is_a_whole_client() {
    let room = room().await;
    let ben = token(&room.world, &room.ben).await;
    let (_, first) = sync(&room, &ben, "").await;
    assert_eq!(first["snapshot"]["user"]["username"], "ben");
    let channels = first["snapshot"]["channels"].as_array().unwrap();
    assert!(channels.iter().any(|channel| channel["name"] == "ops"));
    for number in 0..7 {
        say(&room.ana, room.channel, &format!("m{number}")).await;
    }
    let mut next = first["next"].as_str().unwrap().to_owned();
    let mut events = Vec::new();
    loop {
        let (status, page) = sync(&room, &ben, &format!("?since={next}&limit=2")).await;
        assert_eq!(status, 200);
        assert!(page["events"].as_array().unwrap().len() <= 2);
        events.extend(page["events"].as_array().unwrap().clone());
        next = page["next"].as_str().unwrap().to_owned();
        if page["has_more"] == false {
            break;
        }
    }
    assert_eq!(bodies(&events), ["m0", "m1", "m2", "m3", "m4", "m5", "m6"]);
    let seqs: Vec<u64> = events.iter().filter_map(|event| event["seq"].as_u64()).collect();
    assert!(seqs.windows(2).all(|pair| pair[1] == pair[0] + 1), "{seqs:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_held_answer_comes_with_the_event() {
    let room = room().await;
    let ben = token(&room.world, &room.ben).await;
    let (_, first) = sync(&room, &ben, "").await;
    let query = format!("?since={}&timeout=60", first["next"].as_str().unwrap());
    let (held, ()) = tokio::join!(sync(&room, &ben, &query), async {
        say(&room.ana, room.channel, "now").await;
    });
    assert_eq!(bodies(held.1["events"].as_array().unwrap()), ["now"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cursor_moves_past_what_its_reader_may_not_see() {
    let room = room().await;
    let secret = create(&room.ana, room.community, "elsewhere").await;
    let ben = token(&room.world, &room.ben).await;
    let (_, first) = sync(&room, &ben, "").await;
    say(&room.ana, secret, "not for ben").await;
    let since = first["next"].as_str().unwrap();
    let (_, page) = sync(&room, &ben, &format!("?since={since}&timeout=0")).await;
    assert_eq!(page["events"], json!([]));
    assert_ne!(page["next"], first["next"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_cursor_works_on_every_transport() {
    let room = room().await;
    let ben = token(&room.world, &room.ben).await;
    let (_, first) = sync(&room, &ben, "").await;
    let start = first["next"].as_str().unwrap().to_owned();
    say(&room.ana, room.channel, "one").await;
    say(&room.ana, room.channel, "two").await;
    say(&room.ana, room.channel, "three").await;

    let (_, page) = sync(&room, &ben, &format!("?since={start}&limit=1")).await;
    assert_eq!(bodies(page["events"].as_array().unwrap()), ["one"]);
    let after_one = page["next"].as_str().unwrap().to_owned();

    let mut stream = Stream::open(&room.world, &ben, &after_one, None).await;
    let (after_two, two) = stream.next_event().await;
    assert_eq!(two["data"]["body"], "two");
    drop(stream);

    let mut socket = Ws::start(&room.world, &ben, Some(&after_two)).await;
    let (_, three) = socket.event().await;
    assert_eq!(three["data"]["body"], "three");
    assert_eq!(three["seq"].as_u64(), two["seq"].as_u64().map(|seq| seq + 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn last_event_id_wins_over_since() {
    let room = room().await;
    let ben = token(&room.world, &room.ben).await;
    let (_, first) = sync(&room, &ben, "").await;
    let start = first["next"].as_str().unwrap().to_owned();
    say(&room.ana, room.channel, "one").await;
    say(&room.ana, room.channel, "two").await;
    let (_, page) = sync(&room, &ben, &format!("?since={start}&limit=1")).await;
    let after_one = page["next"].as_str().unwrap();
    let mut stream = Stream::open(&room.world, &ben, &start, Some(after_one)).await;
    assert_eq!(stream.next_event().await.1["data"]["body"], "two");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_event_has_the_same_bytes_on_every_transport() {
    let room = room().await;
    let ben = token(&room.world, &room.ben).await;
    let (_, first) = sync(&room, &ben, "").await;
    let start = first["next"].as_str().unwrap().to_owned();
    let mut live = Ws::start(&room.world, &ben, None).await;
    say(&room.ana, room.channel, "same *everywhere*").await;
    let (next, live) = live.event().await;
    let mut late = Ws::start(&room.world, &ben, Some(&start)).await;
    let mut stream = Stream::open(&room.world, &ben, &start, None).await;
    let (_, page) = sync(&room, &ben, &format!("?since={start}")).await;
    assert_eq!(late.event().await, (next.clone(), live.clone()));
    assert_eq!(stream.next_event().await, (next, live.clone()));
    assert_eq!(page["events"], json!([live]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sends_are_acknowledged_in_order_and_come_back_as_events() {
    let room = room_on(Backend::Sqlite).await;
    let ben = token(&room.world, &room.ben).await;
    let mut socket = Ws::start(&room.world, &ben, None).await;
    for number in 0..100 {
        let body = json!({"channel_id": room.channel.to_string(), "client_id": format!("c{number}"),
            "body": format!("m{number}")});
        socket
            .send(json!({"v": 1, "t": "conv.send", "id": format!("i{number}"), "body": body}))
            .await;
    }
    let (mut acks, mut events) = (Vec::new(), Vec::new());
    while acks.len() < 100 || events.len() < 100 {
        let frame = socket.next().await;
        match frame["t"].as_str().unwrap() {
            "conv.acked" => acks.push(frame),
            "event" => events.push(frame["body"]["event"].clone()),
            other => panic!("unexpected {other}: {frame}"),
        }
    }
    for (number, (ack, event)) in acks.iter().zip(&events).enumerate() {
        assert_eq!(ack["id"], format!("i{number}"));
        assert_eq!(ack["body"]["client_id"], format!("c{number}"));
        assert_eq!(ack["body"]["seq"], event["seq"]);
        assert_eq!(ack["body"]["message_id"], event["data"]["id"]);
        assert_eq!(event["data"]["body"], format!("m{number}"));
    }
    // The same again is acknowledged as before, and nothing is appended.
    let body = json!({"channel_id": room.channel.to_string(), "client_id": "c7", "body": "m7"});
    socket.send(json!({"v": 1, "t": "conv.send", "id": "again", "body": body})).await;
    assert_eq!(socket.next().await["body"], acks[7]["body"]);
    let body = json!({"channel_id": room.channel.to_string(), "client_id": "c7", "body": "other"});
    socket.send(json!({"v": 1, "t": "conv.send", "id": "other", "body": body})).await;
    let refused = socket.next().await;
    assert_eq!((&refused["t"], &refused["id"]), (&json!("error"), &json!("other")));
    assert_eq!(refused["body"]["code"], "idempotency_mismatch");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_connection_resumes_where_it_was() {
    let room = room_on(Backend::Sqlite).await;
    let ben = token(&room.world, &room.ben).await;
    let mut socket = Ws::start(&room.world, &ben, None).await;
    let resume = socket.ready["body"]["resume_token"].clone();
    say(&room.ana, room.channel, "one").await;
    let (after_one, _) = socket.event().await;
    drop(socket);
    say(&room.ana, room.channel, "two").await;
    let Room { world, ana, ben: _ben, channel, .. } = room;
    let world = world.restart().await;
    let ana = ana.log_in(world.stranger()).await;
    sockets::say_as(&ana, channel, "three").await;
    let start = json!({"v": 1, "t": "session.resume",
        "body": {"resume_token": resume, "since": after_one}});
    let mut socket = Ws::open(&world, None, start).await;
    assert_eq!(socket.event().await.1["data"]["body"], "two");
    assert_eq!(socket.event().await.1["data"]["body"], "three");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_joins_receives_from_then_on_and_who_leaves_sees_the_leaving_last() {
    let room = room().await;
    let cy = room.world.person("cy").await;
    let invite = room.ana.client().create_invite(room.community, &CreateInvite::default()).await;
    let code = tidings_domain::InviteCode(invite.unwrap().code);
    cy.client().accept_invite(&code).await.unwrap();
    let mut socket = Ws::start(&room.world, &token(&room.world, &cy).await, None).await;
    say(&room.ana, room.channel, "before").await;
    cy.client().join_channel(room.channel).await.unwrap();
    say(&room.ana, room.channel, "during").await;
    cy.client().leave_channel(room.channel).await.unwrap();
    say(&room.ana, room.channel, "after").await;
    cy.client().join_channel(room.channel).await.unwrap();
    let mut seen = Vec::new();
    while seen.iter().filter(|kind| **kind == "member.joined").count() < 2 {
        let (_, event) = socket.event().await;
        if event["channel_id"] == room.channel.to_string() {
            assert_ne!(event["data"]["body"], "before");
            assert_ne!(event["data"]["body"], "after");
            seen.push(event["type"].as_str().unwrap().to_owned());
        }
    }
    assert_eq!(seen, ["member.joined", "message.created", "member.left", "member.joined"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_does_not_read_is_sent_through_the_log_and_misses_nothing() {
    const MESSAGES: usize = 3_000;
    let room = room_on(Backend::Sqlite).await;
    let mut slow = Ws::start(&room.world, &token(&room.world, &room.ben).await, None).await;
    let mut sender = Ws::start(&room.world, &token(&room.world, &room.ana).await, None).await;
    let filler = "x".repeat(2_000);
    let mut acked = 0;
    for number in 0..MESSAGES {
        let body = json!({"channel_id": room.channel.to_string(), "client_id": format!("c{number}"),
            "body": format!("{number} {filler}")});
        sender.send(json!({"v": 1, "t": "conv.send", "body": body})).await;
        while number - acked > 64 {
            acked += usize::from(sender.next().await["t"] == "conv.acked");
        }
    }
    let mut last = None;
    for number in 0..MESSAGES {
        let (_, event) = slow.event().await;
        let body = event["data"]["body"].as_str().unwrap();
        assert!(body.starts_with(&format!("{number} ")), "message {number} is {body:.20}");
        let seq = event["seq"].as_u64().unwrap();
        assert!(last.is_none_or(|last| seq == last + 1), "a gap before {seq}");
        last = Some(seq);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_that_ends_takes_its_connections_along() {
    let room = room().await;
    let ben = token(&room.world, &room.ben).await;
    let mut socket = Ws::start(&room.world, &ben, None).await;
    let mut stream = Stream::open(&room.world, &ben, "", None).await;
    let url = format!("{}/v1/sessions/current", room.world.server().origin());
    let answer = http().delete(url).bearer_auth(&ben).send().await.unwrap();
    assert_eq!(answer.status(), 204);
    assert_eq!(socket.closed().await, 4001);
    stream.ended().await;
    assert_eq!(sync(&room, &ben, "").await.0, 401);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_stops_says_so() {
    let room = room().await;
    let ben = token(&room.world, &room.ben).await;
    let mut socket = Ws::start(&room.world, &ben, None).await;
    let mut stream = Stream::open(&room.world, &ben, "", None).await;
    let (stopped, code, ()) = tokio::join!(room.world.stop(), socket.closed(), stream.ended());
    let () = stopped;
    assert_eq!(code, 1012);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_cursors_are_refused_by_kind() {
    let room = room().await;
    let ben = token(&room.world, &room.ben).await;
    let (_, first) = sync(&room, &ben, "").await;
    let ours = first["next"].as_str().unwrap();
    let other = format!("{:016x}-1", u64::from_str_radix(&ours[..16], 16).unwrap() ^ 1);
    let far = format!("{}-99999999999", &ours[..16]);
    for (cursor, status, code) in [
        ("nonsense", 400, "bad_request"),
        ("", 400, "bad_request"),
        (other.as_str(), 410, "cursor_expired"),
        (far.as_str(), 410, "cursor_expired"),
    ] {
        let (got, problem) = sync(&room, &ben, &format!("?since={cursor}")).await;
        assert_eq!((got, problem["code"].as_str()), (status, Some(code)), "{cursor}");
    }
    let start = json!({"v": 1, "t": "session.start", "body": {"token": ben, "since": other}});
    let mut socket = Ws::open(&room.world, None, start).await;
    assert_eq!(socket.ready["body"]["code"], "cursor_expired");
    assert_eq!(socket.closed().await, 4008);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn typing_reaches_the_members_and_no_cursor() {
    let room = room().await;
    let ben = token(&room.world, &room.ben).await;
    let mut socket = Ws::start(&room.world, &ben, None).await;
    let mut other = Ws::start(&room.world, &token(&room.world, &room.ana).await, None).await;
    let typing = json!({"channel_id": room.channel.to_string(), "state": "start"});
    other.send(json!({"v": 1, "t": "typing", "body": typing})).await;
    let frame = socket.next().await;
    assert_eq!(frame["body"]["event"]["type"], "typing.started");
    assert_eq!(frame["body"]["event"]["data"]["user_id"], room.ana.id().to_string());
    assert_eq!(frame["body"].get("next"), None);
    assert_eq!(frame["body"]["event"].get("seq"), None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_frames_get_an_error_and_the_connection_lives() {
    let room = room().await;
    let ben = token(&room.world, &room.ben).await;
    let mut socket = Ws::start(&room.world, &ben, None).await;
    let nowhere = UserId::NIL.to_string();
    for (frame, code) in [
        ("{".to_owned(), "bad_request"),
        (json!({"v": 2, "t": "ping", "body": {}}).to_string(), "bad_request"),
        (json!({"v": 1, "t": "what", "body": {}}).to_string(), "bad_request"),
        (json!({"v": 1, "t": "conv.send", "body": {}}).to_string(), "bad_request"),
        (
            json!({"v": 1, "t": "conv.send", "body":
                {"channel_id": nowhere, "client_id": "c", "body": "x"}})
            .to_string(),
            "not_found",
        ),
        (
            json!({"v": 1, "t": "conv.send", "body":
                {"channel_id": room.channel.to_string(), "client_id": "c", "body": "y".repeat(16_001)}})
            .to_string(),
            "unprocessable",
        ),
    ] {
        socket.send_text(frame.clone()).await;
        let answer = socket.next().await;
        assert_eq!(answer["t"], "error", "{frame:.80}");
        assert_eq!(answer["body"]["code"], code, "{frame:.80}");
    }
    socket.send(json!({"v": 1, "t": "ping", "id": "p", "body": {}})).await;
    assert_eq!(socket.next().await, json!({"v": 1, "t": "pong", "id": "p", "body": {}}));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn strangers_get_no_session() {
    let room = room().await;
    for start in [
        json!({"v": 1, "t": "session.start", "body": {}}),
        json!({"v": 1, "t": "session.start", "body": {"token": "wrong"}}),
        json!({"v": 1, "t": "session.resume", "body": {"resume_token": "AAAA"}}),
    ] {
        let mut socket = Ws::open(&room.world, None, start).await;
        assert_eq!(socket.ready["body"]["code"], "unauthorized");
        assert_eq!(socket.closed().await, 4001);
    }
    let url = format!("{}/v1/stream", room.world.server().origin());
    assert_eq!(http().get(url).send().await.unwrap().status(), 401);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cookie_opens_streams_only_from_our_own_pages() {
    let room = room().await;
    let ben = token(&room.world, &room.ben).await;
    let ours = room.world.server().origin().to_owned();
    for path in ["/v1/stream", "/v1/ws"] {
        for (origin, refused) in [("https://evil.example", true), (ours.as_str(), false)] {
            let request = http()
                .get(format!("{ours}{path}"))
                .header("cookie", format!("tidings_session={ben}"))
                .header("origin", origin)
                .header("connection", "upgrade")
                .header("upgrade", "websocket")
                .header("sec-websocket-version", "13")
                .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==");
            let status = request.send().await.unwrap().status();
            assert_eq!(status == 403, refused, "{path} from {origin}: {status}");
        }
    }
}
