use tidings_domain::message::{Format, Mention, ReactionCount};
use tidings_domain::{
    Author, Channel, ChannelType, CommunityId, Emoji, IdentityKey, JoinOutcome,
    Message as DomainMessage, Role, RoomKind, Visibility,
};

use super::*;

fn id(n: u128) -> Uuid {
    Uuid::from_u128(n)
}

fn author() -> Author {
    Author {
        id: UserId(id(1)),
        username: "ana".to_owned(),
        display_name: "Ana \"<\u{1}é💬".to_owned(),
        bot: false,
    }
}

fn message() -> DomainMessage {
    DomainMessage {
        id: MessageId(id(2)),
        channel_id: ChannelId(id(3)),
        seq: Seq(7),
        author: author(),
        parent_id: Some(MessageId(id(4))),
        broadcast: true,
        format: Format::Me,
        body: "tab\t quote\" slash/ back\\ \u{7f} \u{2028}".to_owned(),
        body_html: "<p>x</p>".to_owned(),
        attachments: vec![tidings_domain::Media {
            id: tidings_domain::MediaId(id(11)),
            filename: "a \"b\".png".to_owned(),
            content_type: "image/png".to_owned(),
            size: 5,
            sha256: [7; 32],
            dimensions: Some((3, 4)),
        }],
        previews: vec![tidings_domain::message::Preview {
            url: "https://example.org/?a=1&b=\"2\"".to_owned(),
            title: "Title <b>".to_owned(),
            description: String::new(),
            site: "example.org".to_owned(),
            image: Some(tidings_domain::Media {
                id: tidings_domain::MediaId(id(12)),
                filename: "preview.jpg".to_owned(),
                content_type: "image/jpeg".to_owned(),
                size: 9,
                sha256: [8; 32],
                dimensions: Some((5, 6)),
            }),
        }],
        mentions: vec![Mention::User(UserId(id(9))), Mention::Here, Mention::Everyone],
        reactions: vec![ReactionCount { emoji: "👍".parse().unwrap(), count: 2 }],
        reply_count: 1,
        last_reply_at: Some(Timestamp(5)),
        pinned: true,
        created_at: Timestamp(1_700_000_000_001),
        edited_at: Some(Timestamp(6)),
        deleted: false,
        client_id: Some("c-1".to_owned()),
        imported: true,
    }
}

#[expect(clippy::too_many_lines, reason = "a table: one of each kind")]
fn facts() -> Vec<Fact> {
    let channel = Channel {
        id: ChannelId(id(3)),
        community_id: None,
        name: Some("ops".to_owned()),
        channel_type: ChannelType::GroupDm,
        visibility: Visibility::Private,
        kind: RoomKind::Open,
        topic: "t".to_owned(),
        category: Some("c".to_owned()),
        archived: true,
        retention_s: Some(86_400),
        default: true,
        created_at: Timestamp(3),
        dm_users: vec![UserId(id(1)), UserId(id(2))],
    };
    let emoji: Emoji = ":ok:".parse().unwrap();
    let reaction = Reaction { message_id: MessageId(id(2)), user_id: UserId(id(1)), emoji };
    vec![
        Fact::MessageCreated { message: Box::new(message()) },
        Fact::MessageEdited { message: Box::new(message()) },
        Fact::MessagePreviewed { message: Box::new(message()) },
        Fact::MessageDeleted { message_id: MessageId(id(2)) },
        Fact::ReactionAdded(reaction.clone()),
        Fact::ReactionRemoved(reaction),
        Fact::ChannelCreated(Box::new(channel.clone())),
        Fact::ChannelUpdated(Box::new(channel.clone())),
        Fact::ChannelArchived(Box::new(channel)),
        Fact::MemberJoined { user: author(), role: Role::Admin },
        Fact::MemberLeft { user: author() },
        Fact::MemberRoleChanged { user: author(), role: Role::Owner },
        Fact::MemberBanned { user: author(), until: Some(Timestamp(1_700_000_000_001)) },
        Fact::MemberBanned { user: author(), until: None },
        Fact::MemberUnbanned { user: author() },
        Fact::MemberMuted { user: author(), until: Some(Timestamp(1_700_000_000_001)) },
        Fact::MemberUnmuted { user: author() },
        Fact::MemberUpdated { user: author(), nickname: Some("Annie".to_owned()) },
        Fact::MemberUpdated { user: author(), nickname: None },
        Fact::InviteAccepted { created_by: UserId(id(4)), role: Role::Member, user: author() },
        Fact::JoinRequested { community_id: CommunityId(id(5)), role: Role::Admin, user: author() },
        Fact::JoinDecided {
            community_id: CommunityId(id(5)),
            outcome: JoinOutcome::Approved,
            user: author(),
        },
        Fact::JoinDecided {
            community_id: CommunityId(id(5)),
            outcome: JoinOutcome::Refused,
            user: author(),
        },
        Fact::JoinDecided {
            community_id: CommunityId(id(5)),
            outcome: JoinOutcome::Withdrawn,
            user: author(),
        },
        Fact::ReadUpdated {
            channel_id: ChannelId(id(3)),
            thread: None,
            seq: Seq(4),
            unread: 2,
            mentions: 1,
        },
        Fact::ReadUpdated {
            channel_id: ChannelId(id(3)),
            thread: Some(MessageId(id(2))),
            seq: Seq(4),
            unread: 2,
            mentions: 0,
        },
        Fact::CommandInvoked(Box::new(tidings_domain::fact::Invocation {
            id: id(12),
            channel_id: ChannelId(id(3)),
            community_id: Some(CommunityId(id(6))),
            command: "deploy".to_owned(),
            text: "prod \"now\"".to_owned(),
            args: vec![("env".to_owned(), "prod".to_owned())],
            user: author(),
            expires_at: Timestamp(1_700_000_000_001),
        })),
        Fact::CommandInvoked(Box::new(tidings_domain::fact::Invocation {
            id: id(12),
            channel_id: ChannelId(id(3)),
            community_id: None,
            command: "ping".to_owned(),
            text: String::new(),
            args: Vec::new(),
            user: author(),
            expires_at: Timestamp(0),
        })),
        Fact::IdentityChanged {
            user: author(),
            identity: IdentityKey([7; 32]),
            previous: Some(IdentityKey([8; 32])),
        },
        Fact::IdentityChanged { user: author(), identity: IdentityKey([7; 32]), previous: None },
        Fact::DeviceAdded { user_id: UserId(id(1)), device_id: DeviceId(id(8)) },
        Fact::DeviceRevoked { user_id: UserId(id(1)), device_id: DeviceId(id(8)) },
        Fact::NotificationCreated(Box::new(tidings_domain::Notification {
            id: NotificationId(id(2)),
            kind: tidings_domain::NotificationKind::ThreadReply,
            community_id: Some(CommunityId(id(5))),
            channel_id: Some(ChannelId(id(3))),
            message_id: Some(MessageId(id(2))),
            parent_id: Some(MessageId(id(4))),
            actor: UserId(id(1)),
            quiet: true,
            created_at: Timestamp(3),
        })),
        Fact::NotificationRead { ids: vec![NotificationId(id(2)), NotificationId(id(4))] },
        Fact::NotifyUpdated {
            channel_id: ChannelId(id(3)),
            notice: tidings_domain::ChannelNotice {
                level: tidings_domain::NotifyLevel::Nothing,
                muted_until: Some(Timestamp(9)),
            },
        },
        Fact::AttentionUpdated(Box::new(tidings_domain::Attention {
            keywords: vec!["deploy".to_owned(), "blue green".to_owned()],
            quiet: tidings_domain::Quiet {
                until: Some(Timestamp(9)),
                hours: Some(tidings_domain::QuietHours { from: 1325, to: 7, utc_offset: -840 }),
            },
            hide_typing: true,
        })),
        Fact::PinAdded(Pin { message_id: MessageId(id(2)), user_id: UserId(id(1)) }),
        Fact::PinRemoved(Pin { message_id: MessageId(id(2)), user_id: UserId(id(1)) }),
        Fact::MessageSaved { channel_id: ChannelId(id(3)), message_id: MessageId(id(2)) },
        Fact::MessageUnsaved { channel_id: ChannelId(id(3)), message_id: MessageId(id(2)) },
    ]
}

#[test]
fn every_fact_survives_its_encoding() {
    for fact in facts() {
        let data = encode_data(&fact).unwrap();
        assert_eq!(decode_data(fact.kind(), &data).unwrap(), fact, "{}", fact.kind());
    }
}

#[test]
fn data_header_and_event_are_canonical_json() {
    for fact in facts() {
        let data = encode_data(&fact).unwrap();
        for log in [LogId::Conversation(ChannelId(id(3))), LogId::User(UserId(id(1)))] {
            let header = Header {
                actor: UserId(id(1)),
                community: log.channel().map(|_| CommunityId(id(6))),
                log,
                seq: Seq(812),
                at: Timestamp(1_700_000_000_001),
                kind: fact.kind(),
            };
            for bytes in [&data, &header.encode(), &header.encode_event(&data)] {
                let value: serde_json::Value = serde_json::from_slice(bytes).unwrap();
                let canonical = serde_json_canonicalizer::to_vec(&value).unwrap();
                assert_eq!(str::from_utf8(bytes), str::from_utf8(&canonical));
            }
            let event: Event = serde_json::from_slice(&header.encode_event(&data)).unwrap();
            assert_eq!((event.seq, event.kind.as_str()), (Some(812), fact.kind()));
            assert_eq!(event.log, Some(log.to_string()));
            assert_eq!(event.data.get().as_bytes(), data);
        }
    }
}

#[test]
fn unknown_types_and_broken_data_are_errors() {
    assert!(matches!(decode_data("future.thing", b"{}"), Err(DecodeError::Kind { .. })));
    assert!(matches!(decode_data("message.created", b"{}"), Err(DecodeError::Json { .. })));
    let data = br#"{"role":"king","user":{"bot":false,"display_name":"a","id":"00000000-0000-0000-0000-000000000001","username":"a"}}"#;
    assert!(matches!(decode_data("member.joined", data), Err(DecodeError::Word { .. })));
}

#[test]
fn a_message_encoded_ahead_of_its_place_is_the_message_at_that_place() {
    let salt = [3; 32];
    for seq in [0, 7, 10, u64::MAX] {
        let message = Box::new(DomainMessage { seq: Seq(seq), ..message() });
        let whole = encode_data(&Fact::MessageCreated { message: message.clone() }).unwrap();
        let unplaced = Unplaced::new(&DomainMessage { seq: Seq(99), ..*message }).unwrap();
        let rest = Unplaced::rest(Seq(seq));
        assert_eq!([unplaced.as_bytes(), rest.as_bytes()].concat(), whole);
        let committing = crate::chain::Committing::begin(&salt, unplaced.as_bytes());
        assert_eq!(committing.end(rest.as_bytes()), crate::chain::commitment(&salt, &whole));
    }
}
