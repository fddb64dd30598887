//! The lists at the top of an export: users, channels, private channels, direct conversations.

use std::collections::{BTreeMap, HashSet};
use std::io::{Read, Seek};

use tidings_domain::{Timestamp, Visibility};
use tidings_wire::import;
use tidings_wire::time::Time;

use super::OpenError;
use super::convert::described;
use super::directory::{Directory, NOBODY};
use super::raw::{self, Ts};
use super::survey::Seen;
use crate::archive::{Archive, Entry as DayFile};
use crate::report::Report;

/// The latest time that an export can mean, in seconds since 1970: eleven digits, as in the times of
/// messages.
const CREATED_MAX: i64 = 99_999_999_999;

/// A channel of the export with its day files.
#[derive(Debug)]
pub(super) struct Channel {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) raw: raw::Channel,
    pub(super) visibility: Visibility,
    pub(super) days: Vec<DayFile>,
}

pub(super) fn channel_record(
    channel: &Channel,
    community: &import::Community,
    seen: &Seen,
    directory: &Directory,
    report: &mut Report,
) -> import::Channel {
    // Members whose first trace is that they came were not there before; those whose first trace
    // is that they went were.
    let listed = channel.raw.members.iter().flatten().map(String::as_str);
    let left = seen.moves.iter().filter(|(_, (_, came))| !came).map(|(user, _)| user.as_str());
    let mut members = Vec::new();
    let mut once = HashSet::new();
    for user in listed.chain(left) {
        let came_later = seen.moves.get(user).is_some_and(|(_, came)| *came);
        if came_later || !once.insert(user) {
            continue;
        }
        match directory.user_source(user) {
            Some(source_id) => members.push(source_id.clone()),
            None => report.unknown_members += 1,
        }
    }
    let created = channel.raw.created.filter(|seconds| (1..=CREATED_MAX).contains(seconds));
    let created = created.map(|seconds| Timestamp(0).plus_seconds(seconds).0);
    let first = seen.first.map(Ts::milliseconds);
    let created_at = match (created, first) {
        (Some(created), Some(first)) => created.min(first),
        (created, first) => created.or(first).unwrap_or(0),
    };
    let text = |it: &Option<raw::Described>| {
        described(it.as_ref().and_then(|it| it.value.as_deref()), directory)
    };
    import::Channel {
        source_id: directory
            .channel_source(&channel.id)
            .cloned()
            .unwrap_or_else(|| directory.source_id(&channel.id)),
        community: community.source_id.clone(),
        name: channel.name.clone(),
        visibility: channel.visibility.as_str().to_owned(),
        topic: text(&channel.raw.topic),
        purpose: Some(text(&channel.raw.purpose)).filter(|it| !it.is_empty()),
        archived: channel.raw.is_archived.unwrap_or(false),
        created_at: Time(Timestamp(created_at)),
        creator: channel.raw.creator.as_deref().and_then(|id| directory.user_source(id)).cloned(),
        members,
    }
}

/// Reads a list that the export must have.
pub(super) fn required<R: Read + Seek, T: serde::de::DeserializeOwned>(
    archive: &mut Archive<R>,
    file: &'static str,
    report: &mut Report,
) -> Result<Vec<(usize, T)>, OpenError> {
    list(archive, file, report)?.ok_or(OpenError::Missing { file })
}

/// Reads a list at the top of the export, without the elements that are broken; `None` when there
/// is no such file.
fn list<R: Read + Seek, T: serde::de::DeserializeOwned>(
    archive: &mut Archive<R>,
    file: &str,
    report: &mut Report,
) -> Result<Option<Vec<(usize, T)>>, OpenError> {
    let Some(entry) = archive.top.get(file).cloned() else { return Ok(None) };
    let unreadable = |reason: String| OpenError::Unreadable { file: file.to_owned(), reason };
    let bytes = archive.read(&entry).map_err(|error| unreadable(error.to_string()))?;
    let elements = raw::elements(&bytes).map_err(|error| unreadable(error.to_string()))?;
    let mut items = Vec::with_capacity(elements.len());
    for (index, element) in elements.into_iter().enumerate() {
        match serde_json::from_str(element.get()) {
            Ok(item) => items.push((index, item)),
            Err(error) => report.bad_record(file, index, format!("it cannot be read: {error}")),
        }
    }
    Ok(Some(items))
}

/// Keeps the elements that have an id which no other has.
pub(super) fn with_ids<T>(
    file: &str,
    items: Vec<(usize, T)>,
    id: impl Fn(&T) -> Option<String>,
    report: &mut Report,
) -> Vec<(String, T)> {
    let mut seen = HashSet::new();
    let mut kept = Vec::with_capacity(items.len());
    for (index, item) in items {
        match id(&item).filter(|it| is_plain_id(it)) {
            None => report.bad_record(file, index, "it has no `id` of letters and digits"),
            Some(id) if !seen.insert(id.clone()) => {
                report.bad_record(file, index, format!("another one has the id {id}"));
            }
            Some(id) => kept.push((id, item)),
        }
    }
    kept
}

/// The team that most users belong to: the list also has people of other workspaces with whom
/// channels are shared, and its order may change from one export to the next.
pub(super) fn team(users: &[(String, raw::User)]) -> Option<String> {
    let mut teams: BTreeMap<&str, usize> = BTreeMap::new();
    for (_, user) in users {
        if let Some(team) = user.team_id.as_deref().filter(|it| is_plain_id(it)) {
            *teams.entry(team).or_default() += 1;
        }
    }
    let most = teams.values().max().copied()?;
    teams.into_iter().find(|(_, count)| *count == most).map(|(team, _)| team.to_owned())
}

/// Ids go into source ids, so they may not hold what separates those.
pub(super) fn is_plain_id(text: &str) -> bool {
    (1..=40).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

pub(super) fn channels<R: Read + Seek>(
    archive: &mut Archive<R>,
    directory: &mut Directory,
    report: &mut Report,
) -> Result<Vec<Channel>, OpenError> {
    let public = list::<_, raw::Channel>(archive, "channels.json", report)?;
    let private = list::<_, raw::Channel>(archive, "groups.json", report)?;
    if public.is_none() && private.is_none() {
        return Err(OpenError::Missing { file: "channels.json" });
    }
    let mut all = Vec::new();
    for (file, items, visibility) in [
        ("channels.json", public, Visibility::Public),
        ("groups.json", private, Visibility::Private),
    ] {
        for (id, raw) in with_ids(file, items.unwrap_or_default(), |it| it.id.clone(), report) {
            // Two records would have one name.
            if directory.user_source(&id).is_some() || id == NOBODY {
                report.bad_record(file, 0, format!("somebody has the id {id} too"));
            } else {
                all.push((id, raw, visibility));
            }
        }
    }
    // Names go by the order of the ids, so that every run gives the same ones, whatever the order
    // of the lists.
    let mut order: BTreeMap<String, String> = BTreeMap::new();
    for (id, raw, _) in &all {
        order.insert(id.clone(), raw.name.clone().unwrap_or_default());
    }
    let names: BTreeMap<String, String> = order
        .into_iter()
        .map(|(id, name)| {
            let name = directory.add_channel(&id, &name);
            (id, name)
        })
        .collect();
    let mut channels = Vec::with_capacity(all.len());
    let mut known = HashSet::new();
    for (id, raw, visibility) in all {
        if !known.insert(id.clone()) {
            report.bad_record("groups.json", 0, format!("channels.json has {id} too"));
            continue;
        }
        report.channels += 1;
        report.private_channels += u64::from(visibility == Visibility::Private);
        let days = raw.name.as_deref().and_then(|name| archive.folders.remove(name));
        let days = days.or_else(|| archive.folders.remove(&id)).unwrap_or_default();
        let name = names.get(&id).cloned().unwrap_or_default();
        channels.push(Channel { id, name, raw, visibility, days });
    }
    Ok(channels)
}

/// Counts the direct conversations and takes their files out of the archive's list.
pub(super) fn direct<R: Read + Seek>(
    archive: &mut Archive<R>,
    report: &mut Report,
) -> Result<Vec<DayFile>, OpenError> {
    let mut files = Vec::new();
    for file in ["dms.json", "mpims.json"] {
        let items = list::<_, raw::Channel>(archive, file, report)?.unwrap_or_default();
        for (_, item) in items {
            report.direct_conversations += 1;
            for folder in [item.name, item.id].into_iter().flatten() {
                files.extend(archive.folders.remove(&folder).unwrap_or_default());
            }
        }
    }
    Ok(files)
}
