//! One suite that every store runs: what the traits promise, a case for each promise.
//!
//! A store's tests write an async function that makes an empty store, and hand its name to
//! [`conformance_suite!`](crate::conformance_suite), which makes a test of every case.
//!
//! To add a case: write it in the file of its noun, named for its promise, and list it below.

#![expect(
    missing_docs,
    clippy::missing_panics_doc,
    clippy::unwrap_used,
    reason = "the name of a case is its promise, and it fails by panicking"
)]

pub mod account;
pub mod attention;
pub mod block;
pub mod bot;
pub mod change;
pub mod channel;
pub mod command;
pub mod community;
pub mod draft;
pub mod entry;
pub mod job;
pub mod join;
pub mod media;
pub mod message;
pub mod moderation;
pub mod operation;
pub mod outgoing;
pub mod precondition;
pub mod presence;
pub mod preview;
pub mod read;
pub mod rebuild;
pub mod reminder;
pub mod report;
pub mod search;
pub mod session;
pub mod signin;
pub mod visible;
pub mod webhook;
pub mod world;

/// Makes a test of every case. The argument names an async function beside the call that makes an
/// empty store: it returns an `Arc<dyn Store>`, and with it whatever has to live as long.
#[macro_export]
macro_rules! conformance_suite {
    ($make:ident) => {
        $crate::conformance_suite! { @cases $make
            account {
                accounts_are_found_by_id_name_and_identity
                an_update_keeps_id_name_and_creation
                a_claimed_ghost_has_another_name
                ghosts_are_no_accounts
                the_server_owner_is_the_first_of_them
                accounts_are_listed_in_order_of_ids
                chains_grow_at_their_end
            }
            attention {
                who_is_told_has_it_until_it_is_read
                a_call_to_everybody_is_one_entry
                a_silenced_channel_calls_nobody
                what_is_no_message_is_read_when_it_is_marked
                choices_replace_each_other
                followers_of_a_thread_are_known
                pins_are_listed_newest_first_and_go_with_their_message
                saved_messages_are_ones_own
                reading_everything_leaves_nothing_unread
            }
            block {
                block_lists_are_durable_and_one_way
                either_of_two_may_have_blocked_the_other
                who_is_blocked_mentions_nobody
            }
            bot {
                bots_are_found_by_account_and_community
                a_token_is_found_by_its_hash
                tokens_end_one_by_one_by_account_and_by_time
            }
            change {
                the_same_request_is_replayed
                another_request_under_the_same_client_id_is_refused
                a_request_is_replayed_after_edit_and_deletion
                client_ids_belong_to_one_author_in_one_channel
                dedupe_comes_before_preconditions
                of_equal_concurrent_requests_one_is_appended
                a_refused_change_leaves_nothing
                a_colliding_record_leaves_nothing
                the_first_precondition_that_fails_is_named
                preconditions_see_what_was_submitted_before
                a_change_without_entries_takes_no_position
                entries_of_a_change_lie_together
                places_are_gapless_under_fifty_senders
                changes_are_written_in_order_of_submission
                of_two_takers_of_a_name_one_is_refused
                edits_and_deletions_need_a_live_message
                a_closed_store_takes_no_changes
            }
            channel {
                a_channel_is_what_its_own_log_says
                a_view_tells_where_the_reader_stands
                joined_channels_are_those_of_the_reader
                private_channels_are_hidden_from_others
                channels_are_found_by_name
                a_dm_is_found_by_its_users
                members_come_and_go
                members_are_listed_in_order_of_ids
            }
            command {
                a_bots_commands_are_set_as_a_whole
                an_invocation_is_kept_until_its_time_is_over
            }
            community {
                a_community_is_found_by_id_and_slug
                members_have_roles
                who_left_is_no_member
                members_are_listed_in_order_of_ids
                people_who_share_a_room_know_each_other
                newcomers_join_default_channels
                invites_are_counted_and_deleted
            }
            draft {
                one_draft_for_each_place
            }
            entry {
                entries_are_read_in_pages
                hash_chains_verify
                hash_chains_verify_after_erasure
                the_tail_is_the_log
                the_tail_can_be_taken_once
                the_generation_stays
                a_user_listens_to_own_logs_and_rooms
            }
            join {
                a_request_waits_until_it_is_decided
                refusals_are_forgotten_in_time
                admins_are_listed_with_owners_first
            }
            job {
                jobs_come_when_they_are_due
                of_two_takers_of_a_job_one_is_refused
            }
            media {
                a_file_is_kept_as_it_was_uploaded
                equal_bytes_share_the_first_blob
                a_file_is_used_by_the_messages_that_carry_it
                what_nothing_carries_is_an_orphan
                only_who_uploaded_a_file_may_use_it
                every_file_of_a_user_counts
                files_and_pictures_are_found
                attachments_survive_a_rebuild
            }
            message {
                a_message_is_kept_as_it_was_sent
                pages_lie_where_they_were_asked_for
                every_page_knows_what_lies_around_it
                replies_stay_out_of_the_timeline
                broadcast_replies_stand_in_both
                a_thread_counts_its_replies
                an_edit_keeps_what_edits_do_not_change
                every_version_is_kept
                a_deletion_erases_every_version
                a_tombstone_stays_in_the_timeline
                reactions_are_counted_in_order_of_arrival
                a_reaction_keeps_its_place_while_anybody_holds_it
                a_deleted_message_has_no_reactions
            }
            moderation {
                a_restriction_is_replaced_and_lifted
                restrictions_that_stand_are_listed_by_user
                who_is_banned_is_out
                a_nickname_lasts_as_long_as_the_membership
                acts_are_listed_newest_first
                messages_are_selected_by_author_and_time
                channels_that_erase_are_known
            }
            operation {
                settings_are_replaced
                answers_are_kept_for_their_user_and_key
                import_sources_are_found_in_the_order_of_the_question
                prune_forgets_what_has_ended
                totals_count_everything
                a_sound_store_has_nothing_wrong
                ping_answers
            }
            outgoing {
                outgoing_webhooks_are_found_by_id_and_place
                an_update_of_an_outgoing_webhook_keeps_its_place
                the_newest_attempts_are_kept
                happenings_are_those_of_the_community
            }
            precondition {
                no_accounts
                user_active
                username_free
                identity_free
                chain_length
                challenge_unused
                reset_usable
                user_unclaimed
                slug_free
                community_role
                not_in_community
                other_owner
                invite_usable
                channel_name_free
                dm_free
                channel_open
                in_channel
                message_live
                message_top_level
                reaction_addable
                reaction_there
                read_before
                thread_read_before
                not_blocked
                source_free
                user_is
                community_is
                role_is
                channel_is
                not_restricted
                retains
            }
            presence {
                presence_is_for_those_who_share_a_channel
                a_block_hides_presence_both_ways
                who_was_seen_is_known_by_the_last_time
            }
            preview {
                previews_are_no_edit
                previews_go_with_their_message
                previews_are_turned_off_and_on
            }
            read {
                joining_reads_everything
                messages_of_others_are_unread
                posting_moves_the_own_marker
                posting_never_moves_the_marker_back
                a_marker_moves_where_it_is_set
                a_read_fact_tells_what_is_left
                replies_count_only_when_broadcast
                deleting_an_unread_message_lowers_unread
                deleting_a_read_message_changes_nothing
                imported_messages_count_as_read
                leaving_ends_counting
                mentions_name_the_reader_or_everyone
                own_messages_mention_nobody
                an_edit_replaces_mentions
                a_deleted_message_mentions_nobody
                counting_agrees_with_a_recount
                who_writes_in_a_thread_follows_it
                a_thread_marker_moves_where_it_is_set
                deleted_replies_are_not_unread
                imported_replies_count_as_read
                leaving_ends_following
                followed_threads_are_listed
                a_thread_read_fact_tells_what_is_left
            }
            rebuild {
                a_rebuilt_store_equals_the_live_one
                a_rebuild_after_deletions_equals_the_live_store
                a_rebuilt_store_goes_on
                a_random_history_survives_a_rebuild
            }
            reminder {
                reminders_come_due_in_order
            }
            report {
                reports_are_listed_newest_first
                owners_and_admins_keep_order
            }
            search {
                words_match_whole_and_without_accents
                phrases_match_words_in_order
                excluded_words_must_not_be_there
                only_asked_channels_are_searched
                authors_and_times_narrow_a_search
                links_are_found
                references_are_not_found
                deleted_and_edited_text_is_gone
                pages_lead_to_every_result
                filters_alone_find_messages
            }
            session {
                a_session_is_found_by_its_token
                a_touched_session_lives_on
                sessions_end_one_by_one_or_by_device
                sessions_are_listed_oldest_first
            }
            signin {
                providers_are_replaced_and_go_with_their_links
                a_provider_knows_each_user_once
                a_terminal_waits_until_somebody_answers
                a_setting_is_replaced_only_as_it_was_read
            }
            visible {
                a_user_sees_the_own_log_and_joined_rooms
                a_room_is_visible_from_joining_on
                who_left_sees_the_leaving_last
                who_comes_back_sees_from_then_on
                small_limits_skip_nothing
                nothing_past_the_limit_is_looked_at
                an_erased_entry_is_an_event_without_data
            }
            webhook {
                webhooks_are_found_by_id_and_channel
                a_note_is_written_only_over_what_was_read
            }
        }
    };
    (@cases $make:ident $($noun:ident { $($case:ident)* })*) => { $(
        mod $noun { $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                let (store, _keep) = super::$make().await;
                $crate::conformance::$noun::$case(store).await;
            }
        )* }
    )* };
}

#[cfg(test)]
mod tests {
    /// A case that is written but not listed would never run.
    #[test]
    fn every_case_is_listed() {
        let listed = include_str!("conformance.rs");
        for (noun, text) in [
            ("account", include_str!("conformance/account.rs")),
            ("attention", include_str!("conformance/attention.rs")),
            ("block", include_str!("conformance/block.rs")),
            ("bot", include_str!("conformance/bot.rs")),
            ("change", include_str!("conformance/change.rs")),
            ("channel", include_str!("conformance/channel.rs")),
            ("command", include_str!("conformance/command.rs")),
            ("community", include_str!("conformance/community.rs")),
            ("draft", include_str!("conformance/draft.rs")),
            ("entry", include_str!("conformance/entry.rs")),
            ("join", include_str!("conformance/join.rs")),
            ("job", include_str!("conformance/job.rs")),
            ("media", include_str!("conformance/media.rs")),
            ("message", include_str!("conformance/message.rs")),
            ("moderation", include_str!("conformance/moderation.rs")),
            ("operation", include_str!("conformance/operation.rs")),
            ("outgoing", include_str!("conformance/outgoing.rs")),
            ("precondition", include_str!("conformance/precondition.rs")),
            ("presence", include_str!("conformance/presence.rs")),
            ("preview", include_str!("conformance/preview.rs")),
            ("read", include_str!("conformance/read.rs")),
            ("rebuild", include_str!("conformance/rebuild.rs")),
            ("reminder", include_str!("conformance/reminder.rs")),
            ("report", include_str!("conformance/report.rs")),
            ("search", include_str!("conformance/search.rs")),
            ("session", include_str!("conformance/session.rs")),
            ("signin", include_str!("conformance/signin.rs")),
            ("visible", include_str!("conformance/visible.rs")),
            ("webhook", include_str!("conformance/webhook.rs")),
        ] {
            let cases: Vec<_> = text
                .split("pub async fn ")
                .skip(1)
                .filter_map(|rest| rest.split_once('(').map(|(name, _)| name))
                .collect();
            assert!(!cases.is_empty(), "{noun} has no cases");
            for case in cases {
                let line = format!("\n                {case}\n");
                assert!(listed.contains(&line), "{noun}::{case} is not listed");
            }
        }
    }
}
