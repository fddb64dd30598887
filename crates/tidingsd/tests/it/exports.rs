//! Exports that prove themselves: of communities, channels and people, from both databases.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use tidings_client::export::{Export, Verified};
use tidings_client::message::new_client_id;
use tidings_domain::{ChannelId, CommunityId, MessageId};
use tidings_testkit::postgres_database;
use tidings_wire::channel::CreateChannel;
use tidings_wire::community::CreateInvite;
use tidings_wire::message::CreateMessage;

use crate::community::say;
use crate::daemon::{Place, Ran, tidingsd};

fn lines(file: &Path) -> Vec<Value> {
    let mut zip = zip::ZipArchive::new(File::open(file).unwrap()).unwrap();
    let mut text = String::new();
    zip.by_name("export.ndjson").unwrap().read_to_string(&mut text).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn verified(file: &Path, key: &str) -> Verified {
    let key = Some(key.trim().parse().unwrap());
    Export::open(File::open(file).unwrap()).unwrap().verify(key, |_| ()).unwrap()
}

fn text(file: &Path) -> String {
    lines(file).iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// The tables that records come from, each once.
fn tables(file: &Path) -> Vec<String> {
    let mut tables: Vec<_> = lines(file)
        .iter()
        .filter_map(|line| line["line"]["record"]["table"].as_str().map(str::to_owned))
        .collect();
    tables.dedup();
    tables
}

async fn export(url: Option<String>) -> Vec<String> {
    let place = Place::new();
    let with_url = |command: &mut Command| {
        command.envs(url.iter().map(|url| ("TIDINGS__STORAGE__URL", url)));
    };
    let run = |arguments: &[&str]| {
        let mut command = tidingsd(place.folder());
        with_url(&mut command);
        Ran::of(command.args(arguments).output().unwrap())
    };
    let daemon = place.serve_with(with_url);
    let ana = place.register(&daemon, "ana", None).await;
    let club = ana.client().create_community("Club", "club").await.unwrap();
    let club = CommunityId(club.id);
    let invite = ana.client().create_invite(club, &CreateInvite::default()).await.unwrap();
    let bob = place.register(&daemon, "bob", Some(&invite.code)).await;
    let general = ChannelId(ana.client().channels_of(club).await.unwrap()[0].id);
    let secret = CreateChannel {
        name: "cellar".to_owned(),
        kind: "open".to_owned(),
        channel_type: "text".to_owned(),
        visibility: "private".to_owned(),
        topic: None,
        category: None,
    };
    let cellar = ChannelId(ana.client().create_channel(club, &secret).await.unwrap().id);
    say(ana.client(), cellar, "hidden treasure").await.unwrap();
    let dm = ChannelId(ana.client().open_dm(&[bob.id()]).await.unwrap().id);
    say(ana.client(), dm, "between us").await.unwrap();
    say(bob.client(), dm, "only us two").await.unwrap();
    say(ana.client(), general, "hello everybody").await.unwrap();
    let gone = say(bob.client(), general, "said in haste").await.unwrap();
    bob.client().delete_message(MessageId(gone.id)).await.unwrap();
    let plan = place.folder().join("plan.txt");
    fs::write(&plan, "the plan").unwrap();
    let media = bob.client().upload(&plan, None, |_| ()).await.unwrap();
    let message = CreateMessage {
        client_id: new_client_id(),
        body: "see".to_owned(),
        parent_id: None,
        broadcast: false,
        attachments: vec![media.id],
    };
    bob.client().send(general, &message).await.unwrap();

    // While the server runs: its key is in what it says about itself.
    let key = run(&["export", "key"]).ok();
    let discovered = daemon.client().discover().await.unwrap().export_key;
    assert_eq!(discovered.as_deref(), Some(key.trim()));
    run(&["export", "community", "club", "--out", "club.zip"]).ok();
    let file = place.folder().join("club.zip");
    let proved = verified(&file, &key);
    assert_eq!((proved.name.as_str(), proved.logs, proved.media), ("Club", 2, 1));
    assert_eq!(proved.erased, 1);
    let said = text(&file);
    assert!(said.contains("hello everybody") && said.contains("plan.txt"), "{said}");
    for private in ["hidden treasure", "cellar", "between us", "said in haste", &cellar.to_string()]
    {
        assert!(!said.contains(private), "{private}: {said}");
    }
    let mut zip = zip::ZipArchive::new(File::open(&file).unwrap()).unwrap();
    let mut bytes = String::new();
    let part = format!("media/{}", media.sha256);
    zip.by_name(&part).unwrap().read_to_string(&mut bytes).unwrap();
    assert_eq!(bytes, "the plan");
    // What is there is not written over; what is private needs a word more.
    run(&["export", "community", "club", "--out", "club.zip"]).failed(1);
    run(&["export", "community", "club", "--private", "--out", "all.zip"]).ok();
    assert!(text(&place.folder().join("all.zip")).contains("hidden treasure"));

    let (general, cellar, dm) = (general.to_string(), cellar.to_string(), dm.to_string());
    run(&["export", "channel", &general, "--out", "general.zip"]).ok();
    assert_eq!(verified(&place.folder().join("general.zip"), &key).logs, 1);
    for private in [&cellar, &dm] {
        let told = run(&["export", "channel", private]).failed(1);
        assert!(told.contains("is for its members alone"), "{told}");
    }
    run(&["export", "channel", &dm, "--private", "--out", "dm.zip"]).ok();
    assert!(text(&place.folder().join("dm.zip")).contains("only us two"));
    run(&["export", "channel", &club.to_string()]).failed(1);
    run(&["export", "community", "nobody"]).failed(1);
    run(&["export", "user", "@nobody"]).failed(1);

    run(&["export", "user", "@bob", "--out", "bob.zip"]).ok();
    let file = place.folder().join("bob.zip");
    let proved = verified(&file, &key);
    assert_eq!((proved.logs, proved.media, proved.erased), (1, 1, 1));
    assert!(proved.partial_logs >= 2, "{proved:?}");
    let said = text(&file);
    for mine in ["only us two", "plan.txt", "laptop", &bob.identity().public().to_string()] {
        assert!(said.contains(mine), "{mine}: {said}");
    }
    for others in ["between us", "hello everybody", "said in haste", "hidden treasure", "_hash"] {
        assert!(!said.contains(others), "{others}: {said}");
    }
    let tables = tables(&file);
    for table in ["chains", "media", "memberships", "reactions", "sessions", "users"] {
        let there = tables.iter().any(|name| name == table);
        assert_eq!(there, table != "reactions", "{table}: {tables:?}");
    }
    daemon.stop();
    tables
}

#[tokio::test]
async fn exports_of_both_databases_prove_themselves() {
    let postgres = postgres_database().await;
    let from_sqlite = export(None).await;
    assert_eq!(export(Some(postgres)).await, from_sqlite);
}

/// The lines of the guide that begin with `$ tidingsd`.
#[tokio::test]
async fn the_guide_gives_everything_away() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs");
    let guide = fs::read_to_string(root.join("guide/data.md")).unwrap();
    let commands: Vec<_> =
        guide.lines().filter_map(|line| line.strip_prefix("$ tidingsd ")).collect();
    assert!(commands.len() >= 3, "{commands:?}");
    let place = Place::new();
    for folder in ["var/lib/tidings", "exports"] {
        fs::create_dir_all(place.folder().join(folder)).unwrap();
    }
    let daemon = place.serve_with(|command| {
        command.args(["--data", "var/lib/tidings"]);
    });
    let ana = place.register(&daemon, "ana", None).await;
    ana.client().create_community("Acme", "acme").await.unwrap();
    for command in commands {
        let here = command.split_whitespace().map(|word| word.trim_start_matches('/'));
        place.run(&here.collect::<Vec<_>>()).ok();
    }
    // The program of the format's page, without any code of ours.
    let page = fs::read_to_string(root.join("schema/export.md")).unwrap();
    let program = page.split("```python\n").nth(1).unwrap().split("```").next().unwrap();
    let proved = Command::new("python3")
        .args(["-c", program])
        .arg(place.folder().join("exports/acme.zip"))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&proved.stdout);
    assert!(said.contains("lines hang together"), "{said}{proved:?}");
}
