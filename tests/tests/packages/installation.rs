//! What is installed: each verb does all of what it says or nothing, and what is loaded is what was
//! installed.

use std::fs;
use std::io::{Read, Seek};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use hookrail::package::{Content, Home, Metadata};
use hookrail::store::{Depth, Error, Install, Kind, LoadSpec, SignatureStatus, Store, StoreError, TrustSource, agree};
use hookrail_tests::alone;
use hookrail_tests::stocked::{Scene, digest, public, sign, version};
use minisign::KeyPair;

const NAME: &str = "screen";
const DOWNGRADE: Install = Install::new().downgrade();
const MINUTE: Duration = Duration::from_secs(60);

/// No host has anything against it.
fn agreed(_: &LoadSpec) -> Result<(), Error> {
    Ok(())
}

#[test]
fn installed_files_are_those_that_were_packed() {
    let scene = Scene::new();
    let package = scene.package("1.0.0");
    let installed = scene.install(&package, Install::new()).unwrap();
    assert_eq!((installed.sha256, installed.enabled, installed.replaces), (digest(&package), false, None));
    let all = scene.all();
    let mode = |name: &str| all[&scene.path("store").join("screen/1.0.0").join(name)].0 & 0o7777;
    assert_eq!(mode("README.md"), 0o644);
    assert_eq!(mode("data/deep/run"), 0o755);
    assert_eq!((mode("data"), mode("data/deep"), mode("package.json")), (0o755, 0o755, 0o644));
    assert_eq!(scene.standing(Depth::Files), (SignatureStatus::Signed, String::new()));

    let library = scene.store.load_spec(NAME).unwrap().library;
    let mut bytes = Vec::new();
    let mut copy = fs::File::from(library.open().unwrap());
    copy.rewind().unwrap();
    copy.read_to_end(&mut bytes).unwrap();
    assert_eq!(Some(hookrail::package::digest(&bytes)), library.sha256);
    assert!(
        fs::write(format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&copy)), "x").is_err(),
        "it is sealed"
    );
}

#[test]
fn a_new_version_takes_the_place_and_the_one_before_stays() {
    let scene = Scene::new();
    scene.install(&scene.package("1.0.0"), Install::new()).unwrap();
    assert!(scene.change().enable(NAME, agreed).unwrap());
    assert!(!scene.change().enable(NAME, agreed).unwrap());
    let second = scene.install(&scene.package("1.1.0"), Install::new()).unwrap();
    assert_eq!((second.replaces, second.enabled), (Some(version("1.0.0")), true));
    assert_eq!(scene.change().rollback(NAME, agreed).unwrap(), (version("1.0.0"), version("1.1.0")));
    assert_eq!(scene.store.load_spec(NAME).unwrap().library.version, version("1.0.0"));
    assert_eq!(scene.change().rollback(NAME, agreed).unwrap(), (version("1.1.0"), version("1.0.0")));
    // Two are kept, and no more.
    scene.install(&scene.package("2.0.0"), Install::new()).unwrap();
    let kept: Vec<_> = scene.store.state().unwrap().plugins()[NAME].versions.keys().cloned().collect();
    assert_eq!(kept, [version("1.1.0"), version("2.0.0")]);
    assert!(!scene.path("store/screen/1.0.0").exists());

    scene.change().configure(NAME, serde_json::json!({}), agree).unwrap();
    assert_eq!(scene.change().uninstall(NAME, false).unwrap(), Some(version("2.0.0")));
    assert!(!scene.path("store").exists() && scene.path("config/screen/config.json").exists());
    assert!(scene.store.list(Depth::Files).unwrap().is_empty());
    // Its name has an owner still, and old versions are old.
    let foreign = scene.unsigned("3.0.0", |_, _| ());
    scene.trust(|trust| trust.add(public(&scene.stranger), "Stranger".into()).unwrap());
    sign(&scene.stranger, &foreign);
    assert_eq!(scene.install(&foreign, Install::new()).unwrap_err().code(), "HR0824");
    assert_eq!(scene.install(&scene.package("1.1.0"), Install::new()).unwrap_err().code(), "HR0823");
    // Until it is purged.
    assert_eq!(scene.change().uninstall(NAME, true).unwrap(), None);
    assert!(!scene.path("config").exists());
    scene.install(&foreign, Install::new()).unwrap();
    assert!(!scene.store.state().unwrap().settings(NAME).enabled);
}

#[test]
fn a_refused_installation_leaves_nothing() {
    let scene = Scene::new();
    scene.install(&scene.package("1.0.0"), Install::new()).unwrap();
    scene.install(&scene.package("2.0.0"), Install::new()).unwrap();
    scene.trust(|trust| trust.add(public(&scene.stranger), "Stranger".into()).unwrap());
    let signed = |key: &KeyPair, package: PathBuf| {
        sign(key, &package);
        package
    };
    let unknown = KeyPair::generate_unencrypted_keypair().unwrap();
    let garbage = scene.directory.path().join("garbage.hrp");
    fs::write(&garbage, "no zip").unwrap();
    let changed = scene.package("3.0.0");
    let mut bytes = fs::read(&changed).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&changed, bytes).unwrap();
    let elsewhere = |metadata: &mut Metadata, _: &mut Vec<Content>| {
        metadata.compatibility.host = "~> 7.0".parse().unwrap();
    };
    let another_name = |metadata: &mut Metadata, _: &mut Vec<Content>| metadata.name = "other".into();
    let takes_our_file = |_: &mut Metadata, contents: &mut Vec<Content>| {
        contents[1].path = "Package.json".parse().unwrap();
    };
    let cases = [
        ("the current version", scene.package("2.0.0"), "HR0821"),
        ("the one before", scene.package("1.0.0"), "HR0827"),
        ("an older one", scene.package("1.5.0"), "HR0823"),
        ("another key", signed(&scene.stranger, scene.unsigned("3.0.0", |_, _| ())), "HR0824"),
        ("an unknown key", signed(&unknown, scene.unsigned("3.0.0", |_, _| ())), "HR0809"),
        ("no signature", scene.unsigned("3.0.0", |_, _| ()), "HR0810"),
        ("changed by a bit", changed, "HR0807"),
        ("signed garbage", signed(&scene.jane, garbage), "HR0801"),
        ("for other hosts", signed(&scene.jane, scene.unsigned("3.0.0", elsewhere)), "HR0804"),
        ("not what it says", signed(&scene.jane, scene.unsigned("3.0.0", another_name)), "HR0802"),
        ("our file in it", signed(&scene.jane, scene.unsigned("3.0.0", takes_our_file)), "HR0805"),
        ("nothing there", scene.directory.path().join("nothing.hrp"), "HR0501"),
        ("a directory", scene.directory.path().into(), "HR0801"),
        ("a device", "/dev/zero".into(), "HR0801"),
    ];
    let before = scene.all();
    for (what, package, code) in &cases {
        let error = scene.install(package, Install::new()).map(|_| ()).expect_err(what);
        assert_eq!(error.code(), *code, "{what}: {error}");
        assert!(!error.fix().is_empty());
        assert!(scene.all() == before, "{what} left something behind");
    }
    let third = scene.package("3.0.0");
    let dry = scene.install(&third, Install::new().dry_run()).unwrap();
    assert_eq!((dry.dry_run, dry.replaces), (true, Some(version("2.0.0"))));
    assert!(scene.all() == before, "a dry run left something behind");
    let mut change = scene.change();
    for (what, result) in [
        ("enable", change.enable("none", agreed).map(|_| ())),
        ("disable", change.disable("none").map(|_| ())),
        ("rollback", change.rollback("none", agreed).map(|_| ())),
        ("uninstall", change.uninstall("none", false).map(|_| ())),
        ("purge", change.uninstall("../home", true).map(|_| ())),
        ("wanted", scene.store.load_spec("none").map(|_| ())),
    ] {
        assert_eq!(result.unwrap_err().code(), "HR0103", "{what}");
    }
    assert!(scene.all() == before);
}

#[test]
fn an_allowance_is_for_one_file_once() {
    let scene = Scene::new();
    let (package, other) = (scene.unsigned("1.0.0", |_, _| ()), scene.unsigned("2.0.0", |_, _| ()));
    let allow = |name: &str, number: &str, of: &Path, lasts| {
        scene.change().allow(name, version(number), digest(of), lasts).unwrap();
    };
    // Of another file, for another name, and over.
    allow(NAME, "1.0.0", &other, MINUTE);
    assert_eq!(scene.install(&package, Install::new()).unwrap_err().code(), "HR0810");
    allow("other", "1.0.0", &package, MINUTE);
    assert_eq!(scene.install(&package, Install::new()).unwrap_err().code(), "HR0810");
    allow(NAME, "1.0.0", &package, Duration::ZERO);
    assert_eq!(scene.install(&package, Install::new()).unwrap_err().code(), "HR0810");

    allow(NAME, "1.0.0", &package, MINUTE);
    let dry = Install::new().dry_run();
    assert_eq!(scene.install(&package, dry).unwrap().trusted_by, TrustSource::Allowed);
    assert_eq!(scene.install(&package, Install::new()).unwrap().trusted_by, TrustSource::Allowed);
    assert_eq!(scene.standing(Depth::Files).0, SignatureStatus::Unsigned);
    scene.change().uninstall(NAME, true).unwrap();
    assert_eq!(scene.install(&package, Install::new()).unwrap_err().code(), "HR0810", "it is used up");

    // Who vouches by a key needs none, and the name is theirs from then on.
    scene.install(&scene.package("1.5.0"), Install::new()).unwrap();
    allow(NAME, "2.0.0", &other, MINUTE);
    assert_eq!(scene.install(&other, Install::new()).unwrap().trusted_by, TrustSource::Allowed);
    assert!(scene.store.state().unwrap().plugins()[NAME].owner.is_some());

    // It overrules whose the name is, and leaves it to them.
    scene.trust(|trust| trust.add(public(&scene.stranger), "Stranger".into()).unwrap());
    let foreign = scene.unsigned("3.0.0", |_, _| ());
    sign(&scene.stranger, &foreign);
    assert_eq!(scene.install(&foreign, Install::new()).unwrap_err().code(), "HR0824");
    allow(NAME, "3.0.0", &foreign, MINUTE);
    assert_eq!(scene.install(&foreign, Install::new()).unwrap().trusted_by, TrustSource::Allowed);
    assert_eq!(scene.store.state().unwrap().plugins()[NAME].owner, Some(public(&scene.jane).id()));
}

#[test]
fn a_changed_installation_is_not_loaded() {
    let scene = Scene::new();
    scene.install(&scene.package("1.0.0"), Install::new()).unwrap();
    let place = scene.path("store/screen/1.0.0");
    let library = scene.store.load_spec(NAME).unwrap().library;
    let good = fs::read(&library.path).unwrap();
    let mut bad = good.clone();
    bad[good.len() / 2] ^= 1;
    fs::write(&library.path, &bad).unwrap();
    assert_eq!(library.open().unwrap_err().code(), "HR0802");
    // Who only lists has not looked at it.
    assert_eq!(scene.standing(Depth::Metadata).0, SignatureStatus::Signed);
    assert_eq!(scene.standing(Depth::Files).0, SignatureStatus::Modified);
    assert_eq!(scene.change().enable(NAME, agreed).unwrap_err().code(), "HR0802");
    fs::write(&library.path, &good).unwrap();
    library.open().unwrap();

    let (readme, moved) = (place.join("README.md"), scene.directory.path().join("moved"));
    fs::rename(&readme, &moved).unwrap();
    assert!(scene.standing(Depth::Files).1.contains("gone"));
    std::os::unix::fs::symlink(&moved, &readme).unwrap();
    assert_eq!(scene.standing(Depth::Files).0, SignatureStatus::Modified);
    fs::rename(&moved, &readme).unwrap();
    fs::write(place.join("data/more"), "").unwrap();
    assert!(scene.standing(Depth::Files).1.contains("data/more"));
    fs::remove_file(place.join("data/more")).unwrap();
    assert_eq!(scene.standing(Depth::Files), (SignatureStatus::Signed, String::new()));

    let metadata = place.join("package.json");
    let good = fs::read_to_string(&metadata).unwrap();
    fs::write(&metadata, good.replace("confidential", "secret")).unwrap();
    assert_eq!(scene.standing(Depth::Metadata).0, SignatureStatus::Modified);
    assert_eq!(scene.store.load_spec(NAME).unwrap_err().code(), "HR0802");
    fs::write(&metadata, "{").unwrap();
    assert_eq!(scene.standing(Depth::Metadata).0, SignatureStatus::Invalid);
    fs::write(&metadata, good).unwrap();

    scene.install(&scene.package("2.0.0"), Install::new()).unwrap();
    scene.trust(|trust| trust.revoke(public(&scene.jane).id(), "it was lost".into()).unwrap());
    let (standing, why) = scene.standing(Depth::Metadata);
    assert!(standing == SignatureStatus::Invalid && why.contains("it was lost"), "{why}");
    assert_eq!(scene.store.load_spec(NAME).unwrap_err().code(), "HR0814");
    assert_eq!(scene.change().rollback(NAME, agreed).unwrap_err().code(), "HR0814");
    assert_eq!(scene.change().enable(NAME, agreed).unwrap_err().code(), "HR0814");
}

#[test]
fn an_older_version_is_installed_only_on_request() {
    let scene = Scene::new();
    scene.install(&scene.package("2.0.0"), Install::new()).unwrap();
    let older = scene.package("1.0.0");
    assert_eq!(scene.install(&older, Install::new()).unwrap_err().code(), "HR0823");
    assert_eq!(scene.install(&older, DOWNGRADE).unwrap().replaces, Some(version("2.0.0")));
    // The newest is remembered all the same.
    assert_eq!(scene.install(&scene.package("1.5.0"), Install::new()).unwrap_err().code(), "HR0823");
}

#[test]
fn leftovers_of_a_crash_are_collected_by_the_next_change() {
    let scene = Scene::new();
    scene.install(&scene.package("1.0.0"), Install::new()).unwrap();
    let before = scene.all();
    for left in [".new-Ab12Cd", "store/.new-screen-2.0.0/lib/x", "store/screen/2.0.0/lib/x", "store/gone/1.0.0/lib/x"] {
        let left = scene.path(left);
        fs::create_dir_all(left.parent().unwrap()).unwrap();
        fs::write(left, "half of it").unwrap();
    }
    assert!(scene.store.list(Depth::Files).unwrap().len() == 1 && scene.all() != before, "reading changes nothing");
    drop(scene.change());
    assert!(scene.all() == before);
}

#[test]
fn one_process_changes_at_a_time() {
    alone!();
    let scene = Scene::new();
    let package = scene.package("1.0.0");
    let mut change = scene.change();
    let error = scene.store.change().map(|_| ()).unwrap_err();
    assert_eq!(error.code(), "HR0812");
    change.install(&package, Install::new(), agreed).unwrap();
    assert_eq!(scene.store.state().unwrap(), *change.state(), "reading takes no lock");
    // A child that was forked meanwhile has the file of the lock too, and does not keep it.
    // SAFETY: the child calls nothing but what is allowed between fork and exec.
    let child = unsafe { libc::fork() };
    if child == 0 {
        // SAFETY: both calls are allowed between fork and exec.
        unsafe {
            libc::pause();
            libc::_exit(0)
        };
    }
    drop(change);
    let again = scene.store.change().map(|_| ());
    // SAFETY: our own child, which has not been waited for.
    unsafe { libc::kill(child, libc::SIGKILL) };
    // SAFETY: our own child, and no status is asked for.
    assert_eq!(unsafe { libc::waitpid(child, std::ptr::null_mut(), 0) }, child);
    again.unwrap();
}

#[test]
fn a_senseless_state_is_left_untouched() {
    let scene = Scene::new();
    scene.install(&scene.package("1.0.0"), Install::new()).unwrap();
    let file = scene.path("state.json");
    let good = fs::read_to_string(&file).unwrap();
    for (from, to) in [
        ("\"format\": 1", "\"format\": 2"),
        ("\"current\": \"1.0.0\"", "\"current\": null"),
        ("\"current\": \"1.0.0\"", "\"current\": \"2.0.0\""),
        ("\"previous\": null", "\"previous\": \"1.0.0\""),
        ("\"screen\"", "\"../screen\""),
        ("\"newest\"", "\"more\": 1, \"newest\""),
        ("\"kind\": \"key\"", "\"kind\": \"hearsay\""),
        ("{", ""),
    ] {
        assert!(good.contains(from));
        fs::write(&file, good.replace(from, to)).unwrap();
        let before = scene.all();
        for result in [scene.store.change().map(|_| ()), scene.store.list(Depth::Metadata).map(|_| ())] {
            assert_eq!(result.unwrap_err().code(), "HR0822", "{to}");
        }
        assert!(scene.all() == before, "{to}");
    }
}

#[test]
fn a_store_that_others_can_write_is_refused() {
    let scene = Scene::new();
    scene.install(&scene.package("1.0.0"), Install::new()).unwrap();
    for name in ["store", "state.json", ""] {
        let path = scene.path(name);
        let mode = |mode| fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let before = fs::metadata(&path).unwrap().permissions().mode();
        mode(before | 0o020);
        let opened = Home::open(scene.path("")).map_err(Error::from).and_then(Store::open);
        let opened = opened.and_then(|store| store.list(Depth::Metadata));
        assert_eq!(opened.unwrap_err().code(), "HR0813", "{name}");
        mode(before);
    }
    scene.store.list(Depth::Metadata).unwrap();
}

/// Reading a thousand is reading a thousand small files, however large the libraries are.
#[test]
fn a_thousand_plugins_are_listed_without_a_look_at_their_libraries() {
    let scene = Scene::new();
    scene.install(&scene.package("1.0.0"), Install::new()).unwrap();
    let file = scene.path("state.json");
    let mut state: serde_json::Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    let place = scene.path("store/screen/1.0.0");
    for number in 1..1000 {
        let name = format!("screen-{number}");
        let copy = scene.path("store").join(&name);
        fs::create_dir(&copy).unwrap();
        // Without its library: whoever looked for that would not find it.
        fs::create_dir(copy.join("1.0.0")).unwrap();
        fs::copy(place.join("package.json"), copy.join("1.0.0/package.json")).unwrap();
        state["plugins"][&name] = state["plugins"]["screen"].clone();
    }
    fs::write(&file, state.to_string()).unwrap();
    let took = || {
        let began = std::time::Instant::now();
        let listed = scene.store.list(Depth::Metadata).unwrap();
        println!("{} listed in {:?}", listed.len(), began.elapsed());
        assert_eq!(listed.iter().filter(|plugin| plugin.signature == SignatureStatus::Signed).count(), 1000);
        began.elapsed()
    };
    // However busy this machine is, it is not so each time.
    assert!((0..20).any(|_| took() < Duration::from_secs(5)));
}

#[test]
fn an_installed_plugin_goes_before_a_prebuilt_one_of_its_name() {
    let scene = Scene::new();
    scene.install(&scene.package("1.0.0"), Install::new()).unwrap();
    let brought = scene.directory.path().join("brought.so");
    fs::copy(scene.store.load_spec(NAME).unwrap().library.path, &brought).unwrap();
    // SAFETY: our own plugin.
    let exported = |file: &Path| unsafe { hookrail::schema(file) };
    let store = scene.store.clone().with_prebuilt([(NAME.into(), brought.clone())], exported);
    let listed = || {
        let all = store.list(Depth::Metadata).unwrap();
        let one = store.listed(NAME, Depth::Metadata).unwrap().unwrap();
        all.into_iter().chain([one]).map(|listed| (listed.kind, listed.signature)).collect::<Vec<_>>()
    };
    assert_eq!(listed(), [(Kind::External, SignatureStatus::Signed); 2]);
    assert_ne!(store.load_spec(NAME).unwrap().library.path, brought);
    store.change().unwrap().enable(NAME, agreed).unwrap();
    let upgraded = store.change().unwrap().install(scene.package("1.1.0"), Install::new(), agree);
    assert!(upgraded.unwrap().enabled);

    store.change().unwrap().uninstall(NAME, false).unwrap();
    assert_eq!(listed(), [(Kind::Prebuilt, SignatureStatus::BuiltIn); 2]);
    assert_eq!(store.load_spec(NAME).unwrap().library.path, brought);
    // What was wanted of the one that is gone is not wanted of this one.
    assert!(!store.state().unwrap().settings(NAME).enabled);
    assert!(store.change().unwrap().enable(NAME, agreed).unwrap());
    assert!(store.state().unwrap().settings(NAME).enabled);
    let taken = store.change().unwrap().install(scene.package("1.2.0"), Install::new(), agree);
    assert!(matches!(taken.unwrap_err(), Error::Store { why: StoreError::Prebuilt, .. }));
}
