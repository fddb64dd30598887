-- The log. `subject`, `parent` and `flags` are metadata that outlives an erased body: the message
-- that an entry is about, what it replies to, and (1) whether the timeline shows it, (2) whether
-- it was imported, (4) whether it is a broadcast reply, (8) whether it holds previews and no version.
CREATE TABLE logs (
  id            BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  kind          TEXT    NOT NULL,
  owner         UUID    NOT NULL,
  community_id  UUID    NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
  head_seq      BIGINT NOT NULL DEFAULT 0,
  head_hash     BYTEA    NOT NULL,
  message_count BIGINT NOT NULL DEFAULT 0,
  member_count  BIGINT NOT NULL DEFAULT 0,
  UNIQUE (owner, kind)
);

CREATE TABLE entries (
  position   BIGINT PRIMARY KEY,
  log        BIGINT NOT NULL,
  seq        BIGINT NOT NULL,
  kind       TEXT    NOT NULL,
  actor      UUID    NOT NULL,
  at         BIGINT NOT NULL,
  subject    UUID    NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
  parent     UUID    NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
  flags      BIGINT NOT NULL DEFAULT 0,
  data       BYTEA,
  salt       BYTEA,
  commitment BYTEA    NOT NULL,
  hash       BYTEA    NOT NULL
);
CREATE UNIQUE INDEX entries_log_seq ON entries (log, seq);

-- One row: the position of the newest entry. Every writing transaction takes its lock first.
CREATE TABLE log_position (
  id       BIGINT PRIMARY KEY CHECK (id = 1),
  position BIGINT NOT NULL
);
INSERT INTO log_position (id, position) VALUES (1, 0);

-- Projections.
CREATE TABLE channels (
  id           UUID    PRIMARY KEY,
  log          BIGINT NOT NULL,
  community_id UUID    NOT NULL,
  name         TEXT    NOT NULL DEFAULT '',
  type         TEXT    NOT NULL,
  visibility   TEXT    NOT NULL,
  kind         TEXT    NOT NULL,
  topic        TEXT    NOT NULL DEFAULT '',
  category     TEXT    NOT NULL DEFAULT '',
  archived     BOOLEAN NOT NULL DEFAULT FALSE,
  is_default   BOOLEAN NOT NULL DEFAULT FALSE,
  created_at   BIGINT NOT NULL,
  dm_users     TEXT    NOT NULL DEFAULT '',
  retention_s  BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX channels_log ON channels (log);
CREATE INDEX channels_name ON channels (community_id, name) WHERE name <> '';
CREATE UNIQUE INDEX channels_dm ON channels (dm_users) WHERE dm_users <> '';

-- Memberships of communities (in `g:` logs) and of channels (in `c:` logs). `left_position` is 0
-- while the user is in it.
CREATE TABLE memberships (
  user_id         UUID    NOT NULL,
  log             BIGINT NOT NULL,
  role            TEXT    NOT NULL,
  joined_at       BIGINT NOT NULL,
  joined_position BIGINT NOT NULL,
  left_position   BIGINT NOT NULL DEFAULT 0,
  read_seq        BIGINT NOT NULL DEFAULT 0,
  read_ordinal    BIGINT NOT NULL DEFAULT 0,
  nickname        TEXT    NOT NULL DEFAULT '',
  PRIMARY KEY (user_id, log)
);
CREATE INDEX memberships_log ON memberships (log, user_id) WHERE left_position = 0;

-- `ordinal` is the log's message_count right after the message; `latest` the position of the entry
-- with the newest version. What the timeline shows stands together, so a page of it is one walk.
CREATE TABLE messages (
  log           BIGINT NOT NULL,
  seq           BIGINT NOT NULL,
  id            UUID    NOT NULL,
  position      BIGINT NOT NULL,
  latest        BIGINT NOT NULL,
  author        UUID    NOT NULL,
  parent        UUID    NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
  reply         BOOLEAN NOT NULL DEFAULT FALSE,
  broadcast     BOOLEAN NOT NULL DEFAULT FALSE,
  timeline      BOOLEAN NOT NULL DEFAULT TRUE,
  counted       BOOLEAN NOT NULL DEFAULT TRUE,
  ordinal       BIGINT NOT NULL,
  created_at    BIGINT NOT NULL,
  edited_at     BIGINT NOT NULL DEFAULT 0,
  deleted       BOOLEAN NOT NULL DEFAULT FALSE,
  reply_count   BIGINT NOT NULL DEFAULT 0,
  last_reply_at BIGINT NOT NULL DEFAULT 0,
  reply_number  BIGINT NOT NULL DEFAULT 0,
  pinned        BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (log, timeline, seq)
);
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
  user_id  UUID    NOT NULL,
  root     UUID    NOT NULL,
  log      BIGINT NOT NULL,
  read_seq BIGINT NOT NULL,
  PRIMARY KEY (user_id, root)
);
CREATE INDEX thread_markers_root ON thread_markers (root);

-- What calls for attention: rows of one user, and calls to everybody in a channel. `message` and what
-- else a row is not about are nil. What a user has marked as seen may be of either.
CREATE TABLE notifications (
  user_id   UUID NOT NULL,
  id        UUID NOT NULL,
  position  BIGINT NOT NULL,
  kind      TEXT NOT NULL,
  community UUID NOT NULL,
  channel   UUID NOT NULL,
  message   UUID NOT NULL,
  parent    UUID NOT NULL,
  actor     UUID NOT NULL,
  quiet     BOOLEAN NOT NULL DEFAULT FALSE,
  at        BIGINT NOT NULL,
  PRIMARY KEY (user_id, id)
);
CREATE TABLE calls (
  log      BIGINT NOT NULL,
  message  UUID NOT NULL,
  position BIGINT NOT NULL,
  author   UUID NOT NULL,
  at       BIGINT NOT NULL,
  PRIMARY KEY (log, message)
);
CREATE TABLE notification_reads (
  user_id UUID NOT NULL,
  id      UUID NOT NULL,
  PRIMARY KEY (user_id, id)
);

-- What people chose to be told: of a channel, and at all. Times and minutes are -1 where there is none.
CREATE TABLE channel_notices (
  user_id     UUID NOT NULL,
  log         BIGINT NOT NULL,
  level       TEXT NOT NULL,
  muted_until BIGINT NOT NULL,
  PRIMARY KEY (user_id, log)
);
CREATE TABLE attention (
  user_id     UUID PRIMARY KEY,
  quiet_until BIGINT NOT NULL,
  quiet_from  BIGINT NOT NULL,
  quiet_to    BIGINT NOT NULL,
  utc_offset  BIGINT NOT NULL,
  hide_typing BOOLEAN NOT NULL
);
CREATE TABLE keywords (
  phrase  TEXT NOT NULL,
  user_id UUID NOT NULL,
  PRIMARY KEY (phrase, user_id)
);
CREATE INDEX keywords_user ON keywords (user_id);

CREATE TABLE saved (
  user_id UUID NOT NULL,
  message UUID NOT NULL,
  PRIMARY KEY (user_id, message)
);

-- The edits of each message; its first version is the entry that created it.
CREATE TABLE versions (
  message_id UUID    NOT NULL,
  position   BIGINT  NOT NULL,
  PRIMARY KEY (message_id, position)
);

CREATE TABLE reactions (
  message_id UUID    NOT NULL,
  emoji      TEXT    NOT NULL,
  user_id    UUID    NOT NULL,
  position   BIGINT NOT NULL,
  PRIMARY KEY (message_id, emoji, user_id)
);

-- The files that messages carry.
CREATE TABLE attachments (
  message_id UUID NOT NULL,
  media_id   UUID NOT NULL,
  PRIMARY KEY (message_id, media_id)
);
CREATE INDEX attachments_media ON attachments (media_id);

-- Whom an unread message names; the nil user stands for everyone.
CREATE TABLE mentions (
  log     BIGINT NOT NULL,
  user_id UUID    NOT NULL,
  seq     BIGINT NOT NULL,
  author  UUID    NOT NULL,
  PRIMARY KEY (log, seq, user_id)
);

-- Counted messages that were deleted: what unread counts subtract.
CREATE TABLE tombstones (
  log BIGINT NOT NULL,
  seq BIGINT NOT NULL,
  PRIMARY KEY (log, seq)
);

-- Records: rows that are no part of any log.
CREATE TABLE client_ids (
  log        BIGINT NOT NULL,
  user_id    UUID    NOT NULL,
  client_id  TEXT    NOT NULL,
  request    BYTEA    NOT NULL,
  message_id UUID    NOT NULL,
  seq        BIGINT NOT NULL,
  PRIMARY KEY (log, user_id, client_id)
);

CREATE TABLE users (
  id           UUID    PRIMARY KEY,
  username     TEXT    NOT NULL UNIQUE,
  display_name TEXT    NOT NULL,
  identity     BYTEA    UNIQUE,
  server_role  TEXT    NOT NULL,
  bot          BOOLEAN NOT NULL DEFAULT FALSE,
  discoverable BOOLEAN NOT NULL DEFAULT FALSE,
  status       TEXT    NOT NULL DEFAULT '',
  disabled     BOOLEAN NOT NULL DEFAULT FALSE,
  created_at   BIGINT NOT NULL
);
CREATE INDEX users_owner ON users (id) WHERE server_role = 'owner';

CREATE TABLE chains (
  identity BYTEA    NOT NULL,
  seq      BIGINT NOT NULL,
  envelope BYTEA    NOT NULL,
  PRIMARY KEY (identity, seq)
);

CREATE TABLE used_challenges (
  digest     BYTEA    PRIMARY KEY,
  expires_at BIGINT NOT NULL
);

CREATE TABLE resets (
  digest     BYTEA    PRIMARY KEY,
  user_id    UUID    NOT NULL,
  expires_at BIGINT NOT NULL
);

CREATE TABLE sessions (
  id           UUID    PRIMARY KEY,
  user_id      UUID    NOT NULL,
  device_id    UUID    NOT NULL,
  device_name  TEXT    NOT NULL,
  token_hash   BYTEA    NOT NULL UNIQUE,
  created_at   BIGINT NOT NULL,
  last_used_at BIGINT NOT NULL,
  expires_at   BIGINT NOT NULL
);
CREATE INDEX sessions_user ON sessions (user_id);

-- Providers of sign-in (their secrets sealed), whom they know, and terminals that wait to be logged
-- in; `user_id` of a wish that nobody has approved is nil.
CREATE TABLE providers (
  id            TEXT PRIMARY KEY,
  kind          TEXT NOT NULL,
  name          TEXT NOT NULL,
  url           TEXT NOT NULL,
  client_id     TEXT NOT NULL,
  sealed_secret BYTEA NOT NULL,
  options       TEXT NOT NULL,
  created_at    BIGINT NOT NULL
);

CREATE TABLE links (
  provider     TEXT NOT NULL,
  subject      TEXT NOT NULL,
  user_id      UUID NOT NULL,
  label        TEXT NOT NULL,
  granted      TEXT NOT NULL,
  created_at   BIGINT NOT NULL,
  last_used_at BIGINT NOT NULL,
  PRIMARY KEY (provider, subject),
  UNIQUE (user_id, provider)
);

CREATE TABLE grants (
  device_hash BYTEA PRIMARY KEY,
  user_code   TEXT NOT NULL UNIQUE,
  device_name TEXT NOT NULL,
  created_at  BIGINT NOT NULL,
  expires_at  BIGINT NOT NULL,
  interval_s  BIGINT NOT NULL,
  state       TEXT NOT NULL,
  user_id     UUID NOT NULL
);

-- Bots, and the API tokens of bots and people. Scopes are words with spaces between them.
CREATE TABLE bots (
  user_id      UUID PRIMARY KEY,
  community_id UUID NOT NULL,
  scopes       TEXT NOT NULL,
  created_by   UUID NOT NULL,
  created_at   BIGINT NOT NULL
);
CREATE INDEX bots_community ON bots (community_id, user_id);

CREATE TABLE tokens (
  id           UUID PRIMARY KEY,
  user_id      UUID NOT NULL,
  name         TEXT NOT NULL,
  scopes       TEXT NOT NULL,
  token_hash   BYTEA NOT NULL UNIQUE,
  created_by   UUID NOT NULL,
  created_at   BIGINT NOT NULL,
  last_used_at BIGINT,
  expires_at   BIGINT
);
CREATE INDEX tokens_user ON tokens (user_id, id);

-- Whom people have blocked.
CREATE TABLE blocks (
  user_id    UUID NOT NULL,
  blocked_id UUID NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (user_id, blocked_id)
);

-- What people have begun to write. Outside of threads the parent is nil.
CREATE TABLE drafts (
  user_id    UUID NOT NULL,
  channel_id UUID NOT NULL,
  parent_id  UUID NOT NULL,
  body       TEXT NOT NULL,
  updated_at BIGINT NOT NULL,
  PRIMARY KEY (user_id, channel_id, parent_id)
);

-- Reports of messages; of those in DMs the community is nil. 0 stands where nobody has dealt with it.
CREATE TABLE reports (
  id           UUID PRIMARY KEY,
  community_id UUID NOT NULL,
  channel_id   UUID NOT NULL,
  message_id   UUID NOT NULL,
  reporter     UUID NOT NULL,
  reason       TEXT NOT NULL,
  created_at   BIGINT NOT NULL,
  resolved_by  UUID NOT NULL,
  resolved_at  BIGINT NOT NULL,
  UNIQUE (message_id, reporter)
);
CREATE INDEX reports_community ON reports (community_id, id);

-- Incoming webhooks, and what each has noted: which message began a thread, how a build went.
CREATE TABLE webhooks (
  id         UUID PRIMARY KEY,
  channel_id UUID NOT NULL,
  name       TEXT NOT NULL,
  token_hash BYTEA NOT NULL,
  signed     BOOLEAN NOT NULL,
  created_by UUID NOT NULL,
  created_at BIGINT NOT NULL
);
CREATE INDEX webhooks_channel ON webhooks (channel_id, id);

CREATE TABLE webhook_notes (
  webhook_id UUID NOT NULL,
  key        BYTEA NOT NULL,
  value      TEXT NOT NULL,
  PRIMARY KEY (webhook_id, key)
);

-- All that is kept of presence: when people were last seen, to the minute.
CREATE TABLE last_seen (
  user_id UUID PRIMARY KEY,
  at      BIGINT NOT NULL
);
-- Commands that bots offer (`args` is JSON), and who waits for an answer to one.
CREATE TABLE bot_commands (
  community_id UUID NOT NULL,
  name         TEXT NOT NULL,
  bot_id       UUID NOT NULL,
  summary      TEXT NOT NULL,
  args         TEXT NOT NULL,
  PRIMARY KEY (community_id, name)
);
CREATE INDEX bot_commands_bot ON bot_commands (bot_id);

CREATE TABLE invocations (
  id         UUID PRIMARY KEY,
  bot_id     UUID NOT NULL,
  user_id    UUID NOT NULL,
  channel_id UUID NOT NULL,
  expires_at BIGINT NOT NULL
);
CREATE INDEX invocations_expiry ON invocations (expires_at);

-- What people want to be reminded of.
CREATE TABLE reminders (
  id         UUID PRIMARY KEY,
  user_id    UUID NOT NULL,
  channel_id UUID NOT NULL,
  due_at     BIGINT NOT NULL,
  text       TEXT NOT NULL
);
CREATE INDEX reminders_due ON reminders (due_at, id);
CREATE INDEX reminders_user ON reminders (user_id, due_at);
-- What the server has to do later, or until it succeeds.
CREATE TABLE jobs (
  id         UUID PRIMARY KEY,
  kind       TEXT NOT NULL,
  payload    TEXT NOT NULL,
  due        BIGINT NOT NULL,
  attempts   BIGINT NOT NULL,
  created_at BIGINT NOT NULL
);
CREATE INDEX jobs_due ON jobs (due, id);

-- Channels and users whose links nobody shall look up.
CREATE TABLE unpreviewed (
  owner UUID PRIMARY KEY
);

-- Outgoing webhooks, and their newest attempts. Events are words with spaces between them; the nil
-- channel stands for the whole community.
CREATE TABLE outgoing (
  id           UUID PRIMARY KEY,
  community_id UUID NOT NULL,
  channel_id   UUID NOT NULL,
  name         TEXT NOT NULL,
  url          TEXT NOT NULL,
  events       TEXT NOT NULL,
  generation   BIGINT NOT NULL,
  rotated_at   BIGINT,
  revision     BIGINT NOT NULL DEFAULT 0,
  position     BIGINT NOT NULL,
  succeeded_at BIGINT,
  disabled_at  BIGINT,
  disabled_why TEXT NOT NULL DEFAULT '',
  created_by   UUID NOT NULL,
  created_at   BIGINT NOT NULL
);
CREATE INDEX outgoing_place ON outgoing (community_id, channel_id, id);

CREATE TABLE outgoing_attempts (
  webhook_id UUID NOT NULL,
  message    TEXT NOT NULL,
  attempt    BIGINT NOT NULL,
  event      TEXT NOT NULL,
  at         BIGINT NOT NULL,
  status     BIGINT,
  error      TEXT NOT NULL,
  next_at    BIGINT,
  PRIMARY KEY (webhook_id, message, attempt)
);
CREATE INDEX outgoing_attempts_at ON outgoing_attempts (webhook_id, at);

CREATE TABLE communities (
  id         UUID    PRIMARY KEY,
  name       TEXT    NOT NULL,
  slug       TEXT    NOT NULL UNIQUE,
  created_at BIGINT NOT NULL,
  approval   BOOLEAN NOT NULL DEFAULT FALSE
);

CREATE TABLE invites (
  code_hash    BYTEA    PRIMARY KEY,
  code         TEXT    NOT NULL,
  community_id UUID    NOT NULL,
  created_by   UUID    NOT NULL,
  created_at   BIGINT NOT NULL,
  max_uses     BIGINT,
  uses         BIGINT NOT NULL DEFAULT 0,
  expires_at   BIGINT,
  role         TEXT    NOT NULL,
  claims       UUID,
  approval     BOOLEAN NOT NULL DEFAULT FALSE
);
CREATE INDEX invites_community ON invites (community_id, created_at);

-- Bans and mutes; one whose end has passed counts for nothing.
CREATE TABLE restrictions (
  community_id UUID    NOT NULL,
  kind         TEXT    NOT NULL,
  user_id      UUID    NOT NULL,
  ends_at      BIGINT,
  reason       TEXT    NOT NULL,
  actor        UUID    NOT NULL,
  at           BIGINT NOT NULL,
  PRIMARY KEY (community_id, kind, user_id)
);

-- What administrators did. `private` is the private channel that an act is about, or nil.
CREATE TABLE audit (
  community_id UUID    NOT NULL,
  id           UUID    NOT NULL,
  private      UUID    NOT NULL,
  actor        UUID    NOT NULL,
  at           BIGINT NOT NULL,
  action       TEXT    NOT NULL,
  target_kind  TEXT    NOT NULL,
  target       UUID    NOT NULL,
  target_name  TEXT    NOT NULL,
  detail       TEXT    NOT NULL,
  address      TEXT    NOT NULL,
  PRIMARY KEY (community_id, id)
);

-- Who waits to be let into a community, or was refused not long ago.
CREATE TABLE join_requests (
  community_id  UUID   NOT NULL,
  user_id       UUID   NOT NULL,
  invited_by    UUID   NOT NULL,
  role          TEXT   NOT NULL,
  created_at    BIGINT NOT NULL,
  refused_until BIGINT,
  PRIMARY KEY (community_id, user_id)
);
CREATE INDEX join_requests_user ON join_requests (user_id);

CREATE TABLE sources (
  source TEXT PRIMARY KEY,
  target UUID NOT NULL
);

-- Files, and the blobs that hold their bytes. A picture has a width and a height; `channel_id` is the
-- only channel whose messages may carry the file, when it is not nil.
CREATE TABLE media (
  id           UUID PRIMARY KEY,
  uploader     UUID NOT NULL,
  channel_id   UUID NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
  filename     TEXT NOT NULL,
  content_type TEXT NOT NULL,
  size         BIGINT NOT NULL,
  sha256       BYTEA NOT NULL,
  width        BIGINT NOT NULL DEFAULT 0,
  height       BIGINT NOT NULL DEFAULT 0,
  used         BOOLEAN NOT NULL DEFAULT FALSE,
  created_at   BIGINT NOT NULL
);
CREATE INDEX media_uploader ON media (uploader);
CREATE INDEX media_sha256 ON media (sha256);
CREATE INDEX media_unused ON media (created_at) WHERE NOT used;

CREATE TABLE blobs (
  sha256 BYTEA PRIMARY KEY,
  name   TEXT NOT NULL UNIQUE
);

CREATE TABLE responses (
  user_id    UUID    NOT NULL,
  key        BYTEA    NOT NULL,
  request    BYTEA    NOT NULL,
  status     BIGINT NOT NULL,
  body       BYTEA,
  expires_at BIGINT NOT NULL,
  PRIMARY KEY (user_id, key)
);

CREATE TABLE settings (
  name  TEXT PRIMARY KEY,
  value BYTEA NOT NULL
);

-- Full-text index: `body` holds the folded words of what was said; `position` is the position of
-- the message's first entry. `carries` is a set of bits: 1 link, 2 file, 4 image.
CREATE TABLE search (
  position BIGINT   PRIMARY KEY,
  log      BIGINT   NOT NULL,
  author   UUID     NOT NULL,
  carries  BIGINT   NOT NULL DEFAULT 0,
  body     TSVECTOR NOT NULL
);
CREATE INDEX search_body ON search USING gin (body);
CREATE INDEX search_log ON search (log, position);
CREATE TABLE search_position (
  id       BIGINT PRIMARY KEY CHECK (id = 1),
  position BIGINT NOT NULL
);
INSERT INTO search_position (id, position) VALUES (1, 0);
