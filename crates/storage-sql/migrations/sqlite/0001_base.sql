-- The log. `subject`, `parent` and `flags` are metadata that outlives an erased body: the message
-- that an entry is about, what it replies to, and (1) whether the timeline shows it, (2) whether
-- it was imported, (4) whether it is a broadcast reply, (8) whether it holds previews and no version.
CREATE TABLE logs (
  id            INTEGER PRIMARY KEY,
  kind          TEXT    NOT NULL,
  owner         BLOB    NOT NULL,
  community_id  BLOB    NOT NULL DEFAULT x'00000000000000000000000000000000',
  head_seq      INTEGER NOT NULL DEFAULT 0,
  head_hash     BLOB    NOT NULL,
  message_count INTEGER NOT NULL DEFAULT 0,
  member_count  INTEGER NOT NULL DEFAULT 0,
  UNIQUE (owner, kind)
) STRICT;

CREATE TABLE entries (
  position   INTEGER PRIMARY KEY,
  log        INTEGER NOT NULL,
  seq        INTEGER NOT NULL,
  kind       TEXT    NOT NULL,
  actor      BLOB    NOT NULL,
  at         INTEGER NOT NULL,
  subject    BLOB    NOT NULL DEFAULT x'00000000000000000000000000000000',
  parent     BLOB    NOT NULL DEFAULT x'00000000000000000000000000000000',
  flags      INTEGER NOT NULL DEFAULT 0,
  data       BLOB,
  salt       BLOB,
  commitment BLOB    NOT NULL,
  hash       BLOB    NOT NULL
) STRICT;
CREATE UNIQUE INDEX entries_log_seq ON entries (log, seq);

-- One row: the position of the newest entry. Every writing transaction takes its lock first.
CREATE TABLE log_position (
  id       INTEGER PRIMARY KEY CHECK (id = 1),
  position INTEGER NOT NULL
) STRICT;
INSERT INTO log_position (id, position) VALUES (1, 0);

-- Projections.
CREATE TABLE channels (
  id           BLOB    PRIMARY KEY,
  log          INTEGER NOT NULL,
  community_id BLOB    NOT NULL,
  name         TEXT    NOT NULL DEFAULT '',
  type         TEXT    NOT NULL,
  visibility   TEXT    NOT NULL,
  kind         TEXT    NOT NULL,
  topic        TEXT    NOT NULL DEFAULT '',
  category     TEXT    NOT NULL DEFAULT '',
  archived     INTEGER NOT NULL DEFAULT 0,
  is_default   INTEGER NOT NULL DEFAULT 0,
  created_at   INTEGER NOT NULL,
  dm_users     TEXT    NOT NULL DEFAULT '',
  retention_s  INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
CREATE INDEX channels_log ON channels (log);
CREATE INDEX channels_name ON channels (community_id, name) WHERE name <> '';
CREATE UNIQUE INDEX channels_dm ON channels (dm_users) WHERE dm_users <> '';

-- Memberships of communities (in `g:` logs) and of channels (in `c:` logs). `left_position` is 0
-- while the user is in it.
CREATE TABLE memberships (
  user_id         BLOB    NOT NULL,
  log             INTEGER NOT NULL,
  role            TEXT    NOT NULL,
  joined_at       INTEGER NOT NULL,
  joined_position INTEGER NOT NULL,
  left_position   INTEGER NOT NULL DEFAULT 0,
  read_seq        INTEGER NOT NULL DEFAULT 0,
  read_ordinal    INTEGER NOT NULL DEFAULT 0,
  nickname        TEXT    NOT NULL DEFAULT '',
  PRIMARY KEY (user_id, log)
) STRICT, WITHOUT ROWID;
CREATE INDEX memberships_log ON memberships (log, user_id) WHERE left_position = 0;

-- `ordinal` is the log's message_count right after the message; `latest` the position of the entry
-- with the newest version. What the timeline shows stands together, so a page of it is one walk.
CREATE TABLE messages (
  log           INTEGER NOT NULL,
  seq           INTEGER NOT NULL,
  id            BLOB    NOT NULL,
  position      INTEGER NOT NULL,
  latest        INTEGER NOT NULL,
  author        BLOB    NOT NULL,
  parent        BLOB    NOT NULL DEFAULT x'00000000000000000000000000000000',
  reply         INTEGER NOT NULL DEFAULT 0,
  broadcast     INTEGER NOT NULL DEFAULT 0,
  timeline      INTEGER NOT NULL DEFAULT 1,
  counted       INTEGER NOT NULL DEFAULT 1,
  ordinal       INTEGER NOT NULL,
  created_at    INTEGER NOT NULL,
  edited_at     INTEGER NOT NULL DEFAULT 0,
  deleted       INTEGER NOT NULL DEFAULT 0,
  reply_count   INTEGER NOT NULL DEFAULT 0,
  last_reply_at INTEGER NOT NULL DEFAULT 0,
  reply_number  INTEGER NOT NULL DEFAULT 0,
  pinned        INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (log, timeline, seq)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX messages_id ON messages (id);
-- `pinned` is the position of the entry that pinned the message, or 0.
CREATE INDEX messages_pins ON messages (log, pinned) WHERE pinned > 0;
CREATE INDEX messages_thread ON messages (parent, seq) WHERE reply;
-- `reply_number` counts the replies of a thread that were said here, deleted ones too; it is 0 for
-- everything else. The second index has the tombstones that unread counts subtract.
CREATE INDEX messages_replies ON messages (parent, seq, reply_number) WHERE reply_number > 0;
CREATE INDEX messages_gone ON messages (parent, seq) WHERE reply_number > 0 AND deleted;

-- Who follows which thread, and how far they have read it; `root` is its top-level message.
CREATE TABLE thread_markers (
  user_id  BLOB    NOT NULL,
  root     BLOB    NOT NULL,
  log      INTEGER NOT NULL,
  read_seq INTEGER NOT NULL,
  PRIMARY KEY (user_id, root)
) STRICT, WITHOUT ROWID;
CREATE INDEX thread_markers_root ON thread_markers (root);

-- What calls for attention: rows of one user, and calls to everybody in a channel. `message` and what
-- else a row is not about are nil. What a user has marked as seen may be of either.
CREATE TABLE notifications (
  user_id   BLOB NOT NULL,
  id        BLOB NOT NULL,
  position  INTEGER NOT NULL,
  kind      TEXT NOT NULL,
  community BLOB NOT NULL,
  channel   BLOB NOT NULL,
  message   BLOB NOT NULL,
  parent    BLOB NOT NULL,
  actor     BLOB NOT NULL,
  quiet     INTEGER NOT NULL DEFAULT 0,
  at        INTEGER NOT NULL,
  PRIMARY KEY (user_id, id)
) STRICT, WITHOUT ROWID;
CREATE TABLE calls (
  log      INTEGER NOT NULL,
  message  BLOB NOT NULL,
  position INTEGER NOT NULL,
  author   BLOB NOT NULL,
  at       INTEGER NOT NULL,
  PRIMARY KEY (log, message)
) STRICT, WITHOUT ROWID;
CREATE TABLE notification_reads (
  user_id BLOB NOT NULL,
  id      BLOB NOT NULL,
  PRIMARY KEY (user_id, id)
) STRICT, WITHOUT ROWID;

-- What people chose to be told: of a channel, and at all. Times and minutes are -1 where there is none.
CREATE TABLE channel_notices (
  user_id     BLOB NOT NULL,
  log         INTEGER NOT NULL,
  level       TEXT NOT NULL,
  muted_until INTEGER NOT NULL,
  PRIMARY KEY (user_id, log)
) STRICT, WITHOUT ROWID;
CREATE TABLE attention (
  user_id     BLOB PRIMARY KEY,
  quiet_until INTEGER NOT NULL,
  quiet_from  INTEGER NOT NULL,
  quiet_to    INTEGER NOT NULL,
  utc_offset  INTEGER NOT NULL,
  hide_typing INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE keywords (
  phrase  TEXT NOT NULL,
  user_id BLOB NOT NULL,
  PRIMARY KEY (phrase, user_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX keywords_user ON keywords (user_id);

CREATE TABLE saved (
  user_id BLOB NOT NULL,
  message BLOB NOT NULL,
  PRIMARY KEY (user_id, message)
) STRICT, WITHOUT ROWID;

-- The edits of each message; its first version is the entry that created it.
CREATE TABLE versions (
  message_id BLOB    NOT NULL,
  position   INTEGER NOT NULL,
  PRIMARY KEY (message_id, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE reactions (
  message_id BLOB    NOT NULL,
  emoji      TEXT    NOT NULL,
  user_id    BLOB    NOT NULL,
  position   INTEGER NOT NULL,
  PRIMARY KEY (message_id, emoji, user_id)
) STRICT, WITHOUT ROWID;

-- The files that messages carry.
CREATE TABLE attachments (
  message_id BLOB NOT NULL,
  media_id   BLOB NOT NULL,
  PRIMARY KEY (message_id, media_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX attachments_media ON attachments (media_id);

-- Whom an unread message names; the nil user stands for everyone.
CREATE TABLE mentions (
  log     INTEGER NOT NULL,
  user_id BLOB    NOT NULL,
  seq     INTEGER NOT NULL,
  author  BLOB    NOT NULL,
  PRIMARY KEY (log, seq, user_id)
) STRICT, WITHOUT ROWID;

-- Counted messages that were deleted: what unread counts subtract.
CREATE TABLE tombstones (
  log INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  PRIMARY KEY (log, seq)
) STRICT, WITHOUT ROWID;

-- Records: rows that are no part of any log.
CREATE TABLE client_ids (
  log        INTEGER NOT NULL,
  user_id    BLOB    NOT NULL,
  client_id  TEXT    NOT NULL,
  request    BLOB    NOT NULL,
  message_id BLOB    NOT NULL,
  seq        INTEGER NOT NULL,
  PRIMARY KEY (log, user_id, client_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE users (
  id           BLOB    PRIMARY KEY,
  username     TEXT    NOT NULL UNIQUE,
  display_name TEXT    NOT NULL,
  identity     BLOB    UNIQUE,
  server_role  TEXT    NOT NULL,
  bot          INTEGER NOT NULL DEFAULT 0,
  discoverable INTEGER NOT NULL DEFAULT 0,
  status       TEXT    NOT NULL DEFAULT '',
  disabled     INTEGER NOT NULL DEFAULT 0,
  created_at   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX users_owner ON users (id) WHERE server_role = 'owner';

CREATE TABLE chains (
  identity BLOB    NOT NULL,
  seq      INTEGER NOT NULL,
  envelope BLOB    NOT NULL,
  PRIMARY KEY (identity, seq)
) STRICT;

CREATE TABLE used_challenges (
  digest     BLOB    PRIMARY KEY,
  expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE resets (
  digest     BLOB    PRIMARY KEY,
  user_id    BLOB    NOT NULL,
  expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE sessions (
  id           BLOB    PRIMARY KEY,
  user_id      BLOB    NOT NULL,
  device_id    BLOB    NOT NULL,
  device_name  TEXT    NOT NULL,
  token_hash   BLOB    NOT NULL UNIQUE,
  created_at   INTEGER NOT NULL,
  last_used_at INTEGER NOT NULL,
  expires_at   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_user ON sessions (user_id);

-- Providers of sign-in (their secrets sealed), whom they know, and terminals that wait to be logged
-- in; `user_id` of a wish that nobody has approved is nil.
CREATE TABLE providers (
  id            TEXT PRIMARY KEY,
  kind          TEXT NOT NULL,
  name          TEXT NOT NULL,
  url           TEXT NOT NULL,
  client_id     TEXT NOT NULL,
  sealed_secret BLOB NOT NULL,
  options       TEXT NOT NULL,
  created_at    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE links (
  provider     TEXT NOT NULL,
  subject      TEXT NOT NULL,
  user_id      BLOB NOT NULL,
  label        TEXT NOT NULL,
  granted      TEXT NOT NULL,
  created_at   INTEGER NOT NULL,
  last_used_at INTEGER NOT NULL,
  PRIMARY KEY (provider, subject),
  UNIQUE (user_id, provider)
) STRICT, WITHOUT ROWID;

CREATE TABLE grants (
  device_hash BLOB PRIMARY KEY,
  user_code   TEXT NOT NULL UNIQUE,
  device_name TEXT NOT NULL,
  created_at  INTEGER NOT NULL,
  expires_at  INTEGER NOT NULL,
  interval_s  INTEGER NOT NULL,
  state       TEXT NOT NULL,
  user_id     BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- Bots, and the API tokens of bots and people. Scopes are words with spaces between them.
CREATE TABLE bots (
  user_id      BLOB PRIMARY KEY,
  community_id BLOB NOT NULL,
  scopes       TEXT NOT NULL,
  created_by   BLOB NOT NULL,
  created_at   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX bots_community ON bots (community_id, user_id);

CREATE TABLE tokens (
  id           BLOB PRIMARY KEY,
  user_id      BLOB NOT NULL,
  name         TEXT NOT NULL,
  scopes       TEXT NOT NULL,
  token_hash   BLOB NOT NULL UNIQUE,
  created_by   BLOB NOT NULL,
  created_at   INTEGER NOT NULL,
  last_used_at INTEGER,
  expires_at   INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX tokens_user ON tokens (user_id, id);

-- Whom people have blocked.
CREATE TABLE blocks (
  user_id    BLOB NOT NULL,
  blocked_id BLOB NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (user_id, blocked_id)
) STRICT, WITHOUT ROWID;

-- What people have begun to write. Outside of threads the parent is nil.
CREATE TABLE drafts (
  user_id    BLOB NOT NULL,
  channel_id BLOB NOT NULL,
  parent_id  BLOB NOT NULL,
  body       TEXT NOT NULL,
  updated_at INTEGER NOT NULL,
  PRIMARY KEY (user_id, channel_id, parent_id)
) STRICT, WITHOUT ROWID;

-- Reports of messages; of those in DMs the community is nil. 0 stands where nobody has dealt with it.
CREATE TABLE reports (
  id           BLOB PRIMARY KEY,
  community_id BLOB NOT NULL,
  channel_id   BLOB NOT NULL,
  message_id   BLOB NOT NULL,
  reporter     BLOB NOT NULL,
  reason       TEXT NOT NULL,
  created_at   INTEGER NOT NULL,
  resolved_by  BLOB NOT NULL,
  resolved_at  INTEGER NOT NULL,
  UNIQUE (message_id, reporter)
) STRICT, WITHOUT ROWID;
CREATE INDEX reports_community ON reports (community_id, id);

-- Incoming webhooks, and what each has noted: which message began a thread, how a build went.
CREATE TABLE webhooks (
  id         BLOB PRIMARY KEY,
  channel_id BLOB NOT NULL,
  name       TEXT NOT NULL,
  token_hash BLOB NOT NULL,
  signed     INTEGER NOT NULL,
  created_by BLOB NOT NULL,
  created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX webhooks_channel ON webhooks (channel_id, id);

CREATE TABLE webhook_notes (
  webhook_id BLOB NOT NULL,
  key        BLOB NOT NULL,
  value      TEXT NOT NULL,
  PRIMARY KEY (webhook_id, key)
) STRICT, WITHOUT ROWID;

-- All that is kept of presence: when people were last seen, to the minute.
CREATE TABLE last_seen (
  user_id BLOB PRIMARY KEY,
  at      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
-- Commands that bots offer (`args` is JSON), and who waits for an answer to one.
CREATE TABLE bot_commands (
  community_id BLOB NOT NULL,
  name         TEXT NOT NULL,
  bot_id       BLOB NOT NULL,
  summary      TEXT NOT NULL,
  args         TEXT NOT NULL,
  PRIMARY KEY (community_id, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX bot_commands_bot ON bot_commands (bot_id);

CREATE TABLE invocations (
  id         BLOB PRIMARY KEY,
  bot_id     BLOB NOT NULL,
  user_id    BLOB NOT NULL,
  channel_id BLOB NOT NULL,
  expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX invocations_expiry ON invocations (expires_at);

-- What people want to be reminded of.
CREATE TABLE reminders (
  id         BLOB PRIMARY KEY,
  user_id    BLOB NOT NULL,
  channel_id BLOB NOT NULL,
  due_at     INTEGER NOT NULL,
  text       TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX reminders_due ON reminders (due_at, id);
CREATE INDEX reminders_user ON reminders (user_id, due_at);
-- What the server has to do later, or until it succeeds.
CREATE TABLE jobs (
  id         BLOB PRIMARY KEY,
  kind       TEXT NOT NULL,
  payload    TEXT NOT NULL,
  due        INTEGER NOT NULL,
  attempts   INTEGER NOT NULL,
  created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX jobs_due ON jobs (due, id);

-- Channels and users whose links nobody shall look up.
CREATE TABLE unpreviewed (
  owner BLOB PRIMARY KEY
) STRICT, WITHOUT ROWID;

-- Outgoing webhooks, and their newest attempts. Events are words with spaces between them; the nil
-- channel stands for the whole community.
CREATE TABLE outgoing (
  id           BLOB PRIMARY KEY,
  community_id BLOB NOT NULL,
  channel_id   BLOB NOT NULL,
  name         TEXT NOT NULL,
  url          TEXT NOT NULL,
  events       TEXT NOT NULL,
  generation   INTEGER NOT NULL,
  rotated_at   INTEGER,
  revision     INTEGER NOT NULL DEFAULT 0,
  position     INTEGER NOT NULL,
  succeeded_at INTEGER,
  disabled_at  INTEGER,
  disabled_why TEXT NOT NULL DEFAULT '',
  created_by   BLOB NOT NULL,
  created_at   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX outgoing_place ON outgoing (community_id, channel_id, id);

CREATE TABLE outgoing_attempts (
  webhook_id BLOB NOT NULL,
  message    TEXT NOT NULL,
  attempt    INTEGER NOT NULL,
  event      TEXT NOT NULL,
  at         INTEGER NOT NULL,
  status     INTEGER,
  error      TEXT NOT NULL,
  next_at    INTEGER,
  PRIMARY KEY (webhook_id, message, attempt)
) STRICT, WITHOUT ROWID;
CREATE INDEX outgoing_attempts_at ON outgoing_attempts (webhook_id, at);

CREATE TABLE communities (
  id         BLOB    PRIMARY KEY,
  name       TEXT    NOT NULL,
  slug       TEXT    NOT NULL UNIQUE,
  created_at INTEGER NOT NULL,
  approval   INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

CREATE TABLE invites (
  code_hash    BLOB    PRIMARY KEY,
  code         TEXT    NOT NULL,
  community_id BLOB    NOT NULL,
  created_by   BLOB    NOT NULL,
  created_at   INTEGER NOT NULL,
  max_uses     INTEGER,
  uses         INTEGER NOT NULL DEFAULT 0,
  expires_at   INTEGER,
  role         TEXT    NOT NULL,
  claims       BLOB,
  approval     INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
CREATE INDEX invites_community ON invites (community_id, created_at);

-- Bans and mutes; one whose end has passed counts for nothing.
CREATE TABLE restrictions (
  community_id BLOB    NOT NULL,
  kind         TEXT    NOT NULL,
  user_id      BLOB    NOT NULL,
  ends_at      INTEGER,
  reason       TEXT    NOT NULL,
  actor        BLOB    NOT NULL,
  at           INTEGER NOT NULL,
  PRIMARY KEY (community_id, kind, user_id)
) STRICT, WITHOUT ROWID;

-- What administrators did. `private` is the private channel that an act is about, or nil.
CREATE TABLE audit (
  community_id BLOB    NOT NULL,
  id           BLOB    NOT NULL,
  private      BLOB    NOT NULL,
  actor        BLOB    NOT NULL,
  at           INTEGER NOT NULL,
  action       TEXT    NOT NULL,
  target_kind  TEXT    NOT NULL,
  target       BLOB    NOT NULL,
  target_name  TEXT    NOT NULL,
  detail       TEXT    NOT NULL,
  address      TEXT    NOT NULL,
  PRIMARY KEY (community_id, id)
) STRICT, WITHOUT ROWID;

-- Who waits to be let into a community, or was refused not long ago.
CREATE TABLE join_requests (
  community_id BLOB    NOT NULL,
  user_id      BLOB    NOT NULL,
  invited_by   BLOB    NOT NULL,
  role         TEXT    NOT NULL,
  created_at   INTEGER NOT NULL,
  refused_until INTEGER,
  PRIMARY KEY (community_id, user_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX join_requests_user ON join_requests (user_id);

CREATE TABLE sources (
  source TEXT PRIMARY KEY,
  target BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- Files, and the blobs that hold their bytes. A picture has a width and a height; `channel_id` is the
-- only channel whose messages may carry the file, when it is not nil.
CREATE TABLE media (
  id           BLOB PRIMARY KEY,
  uploader     BLOB NOT NULL,
  channel_id   BLOB NOT NULL DEFAULT x'00000000000000000000000000000000',
  filename     TEXT NOT NULL,
  content_type TEXT NOT NULL,
  size         INTEGER NOT NULL,
  sha256       BLOB NOT NULL,
  width        INTEGER NOT NULL DEFAULT 0,
  height       INTEGER NOT NULL DEFAULT 0,
  used         INTEGER NOT NULL DEFAULT 0,
  created_at   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX media_uploader ON media (uploader);
CREATE INDEX media_sha256 ON media (sha256);
CREATE INDEX media_unused ON media (created_at) WHERE NOT used;

CREATE TABLE blobs (
  sha256 BLOB PRIMARY KEY,
  name   TEXT NOT NULL UNIQUE
) STRICT, WITHOUT ROWID;

CREATE TABLE responses (
  user_id    BLOB    NOT NULL,
  key        BLOB    NOT NULL,
  request    BLOB    NOT NULL,
  status     INTEGER NOT NULL,
  body       BLOB,
  expires_at INTEGER NOT NULL,
  PRIMARY KEY (user_id, key)
) STRICT;

CREATE TABLE settings (
  name  TEXT PRIMARY KEY,
  value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- Full-text index: `body` is what was said, `meta` has a word for the channel's log, the author,
-- and what the message carries. The rowid is the position of the message's first entry.
CREATE VIRTUAL TABLE search USING fts5 (
  body, meta, tokenize = "unicode61 remove_diacritics 2", columnsize = 0
);
INSERT INTO search (search, rank) VALUES ('secure-delete', 1);
CREATE TABLE search_position (
  id       INTEGER PRIMARY KEY CHECK (id = 1),
  position INTEGER NOT NULL
) STRICT;
INSERT INTO search_position (id, position) VALUES (1, 0);
