use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use tidings_client::NewDevice;
use tidings_client::login::{LoginError, Registration};
use tidings_domain::DeviceId;
use tidings_identity::{DeviceSecret, IdentitySecret};
use tidings_server::{Clock as _, SystemClock};
use tidings_testkit::TestEntropy;
use tidings_wire::Code;
use uuid::Uuid;

use crate::daemon::Place;

#[tokio::test]
async fn the_first_start_prints_a_url_and_a_setup_code() {
    let place = Place::new();
    let daemon = place.serve();
    assert!(daemon.url().starts_with("http://127.0.0.1:"), "{}", daemon.printed());
    assert!(!daemon.url().ends_with(":0"));
    let code = daemon.setup_code().unwrap().to_owned();
    let file = place.data().join("setup-code");
    assert_eq!(fs::read_to_string(&file).unwrap().trim(), code);
    for (path, mode) in [(&file, 0o600), (&place.data(), 0o700)] {
        assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, mode, "{path:?}");
    }
    let command = format!("tidings register --server {} --username YOU", daemon.url());
    assert!(daemon.printed().contains(&command));
    assert_eq!(daemon.client().discover().await.unwrap().registration, "setup");
    assert!(daemon.client().readiness().await.unwrap().ready);
    assert!(!daemon.log().contains(&code), "the log must not hold the setup code");
}

#[test]
fn every_command_has_a_manual_page() {
    let place = Place::new();
    let out = place.data().with_file_name("man");
    place.run(&["man", "--out", out.to_str().unwrap()]).ok();
    for page in ["tidingsd.1", "tidingsd-serve.1", "tidingsd-import-slack.1"] {
        assert!(fs::read_to_string(out.join(page)).unwrap().contains(".TH"), "{page}");
    }
    assert!(place.run(&["completions", "bash"]).ok().contains("rebuild"));
}

#[test]
fn the_setup_code_stays_the_same_until_somebody_uses_it() {
    let place = Place::new();
    let first = place.serve();
    let code = first.setup_code().unwrap().to_owned();
    first.stop();
    assert_eq!(place.serve().setup_code(), Some(&*code));
}

#[tokio::test]
async fn the_setup_code_is_gone_once_it_was_used() {
    let place = Place::new();
    let daemon = place.serve();
    let ana = place.register(&daemon, "ana", None).await;
    assert_eq!(ana.client().me().await.unwrap().server_role, "owner");
    daemon.stop();
    assert!(!place.data().join("setup-code").exists());
    let daemon = place.serve();
    assert_eq!(daemon.setup_code(), None);
    assert_eq!(daemon.client().discover().await.unwrap().registration, "invite");
}

#[tokio::test]
async fn a_wrong_setup_code_is_refused() {
    let place = Place::new();
    let daemon = place.serve();
    let entropy = TestEntropy::new(3);
    let identity = IdentitySecret::from_seed(&entropy.draw());
    let device = NewDevice {
        id: DeviceId(Uuid::now_v7()),
        name: "laptop".to_owned(),
        platform: "test".to_owned(),
        secret: DeviceSecret::from_seed(&entropy.draw()),
    };
    let registration = Registration {
        username: "ana".to_owned(),
        setup_code: Some("0000-0000-0000-0000".to_owned()),
        ..Registration::default()
    };
    let now = SystemClock::new().now();
    let refused = daemon.client().register(&identity, &device, &registration, now).await;
    let Err(LoginError::Client(error)) = refused else { panic!("{refused:?}") };
    assert_eq!(error.code(), Some(Code::Forbidden));
    assert!(place.data().join("setup-code").exists());
}

#[test]
fn a_wrong_flag_is_explained() {
    let place = Place::new();
    let told = place.run(&["serve", "--listn", "127.0.0.1:0"]).failed(2);
    assert!(told.contains("--listen"), "{told}");
    assert!(!place.data().exists());
}

#[test]
fn help_names_the_exit_codes() {
    let help = Place::new().run(&["--help"]).ok();
    for word in ["Exit codes", "serve", "import", "rebuild", "doctor", "TIDINGS__SECTION__KEY"] {
        assert!(help.contains(word), "{word}");
    }
}
