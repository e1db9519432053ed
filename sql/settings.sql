--
-- Every setting of the server is either part of each key, or was looked at
-- and found to have no influence on rows, plans or the text of values.  A
-- setting that a new major version brings appears here until somebody
-- decides.  Names of other major versions may be in the list.
--
CREATE TEMP TABLE irrelevant (why text, name text);

INSERT INTO irrelevant
SELECT v.why, unnest(string_to_array(v.names, ' '))
FROM (VALUES
	('autovacuum and vacuum: what is visible does not depend on them',
	 'autovacuum autovacuum_analyze_scale_factor'
	 ' autovacuum_analyze_threshold autovacuum_freeze_max_age'
	 ' autovacuum_max_workers autovacuum_multixact_freeze_max_age'
	 ' autovacuum_naptime autovacuum_vacuum_cost_delay'
	 ' autovacuum_vacuum_cost_limit'
	 ' autovacuum_vacuum_insert_scale_factor'
	 ' autovacuum_vacuum_insert_threshold autovacuum_vacuum_max_threshold'
	 ' autovacuum_vacuum_scale_factor autovacuum_vacuum_threshold'
	 ' autovacuum_work_mem autovacuum_worker_slots vacuum_buffer_usage_limit'
	 ' vacuum_cost_delay vacuum_cost_limit vacuum_cost_page_dirty'
	 ' vacuum_cost_page_hit vacuum_cost_page_miss'
	 ' vacuum_defer_cleanup_age vacuum_failsafe_age'
	 ' vacuum_freeze_min_age vacuum_freeze_table_age'
	 ' vacuum_max_eager_freeze_failure_rate vacuum_multixact_failsafe_age'
	 ' vacuum_multixact_freeze_min_age'
	 ' vacuum_multixact_freeze_table_age vacuum_truncate'),
	('clients with another encoding than the database''s are given rows',
	 'client_encoding'),
	('texts of errors and messages: with any of these nothing is stored',
	 'lc_messages'),
	('read by the lexer and parser, whose tree is the key',
	 'backslash_quote escape_string_warning standard_conforming_strings'
	 ' transform_null_equals operator_precedence_warning'),
	('decide what the rewriter makes of the tree, or raise an error there',
	 'restrict_nonsystem_relation_kind row_security'
	 ' session_replication_role'),
	('names are looked up by the parser; fold.c sees to the exceptions',
	 'search_path'),
	('choose between plans that are cached by others; estimates follow'
	 ' ANALYZE, not the setting',
	 'default_statistics_target plan_cache_mode'),
	('libraries to load; what they add has settings of its own',
	 'dynamic_library_path extension_control_path extension_destdir'
	 ' jit_provider local_preload_libraries output_plugin_libraries'
	 ' session_preload_libraries shared_preload_libraries'),
	('apply to commands that write or define',
	 'allow_alter_system allow_in_place_tablespaces'
	 ' allow_system_table_mods check_function_bodies createrole_self_grant'
	 ' default_table_access_method default_tablespace'
	 ' default_toast_compression default_with_oids event_triggers'
	 ' gin_pending_list_limit icu_validation_level lo_compat_privileges'
	 ' maintenance_work_mem max_parallel_maintenance_workers'
	 ' password_encryption scram_iterations'
	 ' temp_tablespaces wal_skip_threshold'),
	('the transaction: isolation levels are judged for each execution',
	 'default_transaction_deferrable default_transaction_isolation'
	 ' default_transaction_read_only transaction_deferrable'
	 ' transaction_isolation transaction_read_only old_snapshot_threshold'),
	('end a statement or session with an error, or not',
	 'client_connection_check_interval deadlock_timeout exit_on_error'
	 ' idle_in_transaction_session_timeout'
	 ' idle_session_timeout lock_timeout'
	 ' max_stack_depth statement_timeout temp_file_limit'
	 ' transaction_timeout'),
	('speed of reading and writing, and memory that is not planned with',
	 'backend_flush_after bgwriter_delay bgwriter_flush_after'
	 ' bgwriter_lru_maxpages bgwriter_lru_multiplier commit_timestamp_buffers'
	 ' debug_io_direct dynamic_shared_memory_type effective_io_concurrency'
	 ' file_copy_method file_extend_method huge_page_size huge_pages'
	 ' huge_pages_status io_combine_limit io_direct io_max_combine_limit'
	 ' io_max_concurrency io_max_workers io_method io_min_workers'
	 ' io_worker_idle_timeout io_worker_launch_interval io_workers'
	 ' logical_decoding_work_mem maintenance_io_concurrency'
	 ' max_files_per_process max_notify_queue_pages'
	 ' min_dynamic_shared_memory multixact_member_buffers'
	 ' multixact_offset_buffers notify_buffers serializable_buffers'
	 ' shared_buffers shared_memory_size'
	 ' shared_memory_size_in_huge_pages shared_memory_type'
	 ' subtransaction_buffers temp_buffers transaction_buffers'),
	('connections and authentication',
	 'application_name authentication_timeout bonjour bonjour_name'
	 ' db_user_namespace gss_accept_delegation krb_caseins_users'
	 ' krb_server_keyfile listen_addresses max_connections'
	 ' oauth_validator_libraries port reserved_connections ssl ssl_ca_file'
	 ' ssl_cert_file ssl_ciphers ssl_crl_dir ssl_crl_file ssl_dh_params_file'
	 ' ssl_ecdh_curve ssl_groups ssl_key_file ssl_library'
	 ' ssl_max_protocol_version ssl_min_protocol_version'
	 ' ssl_passphrase_command ssl_passphrase_command_supports_reload'
	 ' ssl_prefer_server_ciphers ssl_sni ssl_tls13_ciphers'
	 ' superuser_reserved_connections tcp_keepalives_count'
	 ' tcp_keepalives_idle tcp_keepalives_interval tcp_user_timeout'
	 ' unix_socket_directories unix_socket_group unix_socket_permissions'),
	('files and identity of the server',
	 'cluster_name config_file data_directory data_sync_retry'
	 ' external_pid_file hba_file hosts_file ident_file'
	 ' recovery_init_sync_method remove_temp_files_after_crash'
	 ' restart_after_crash send_abort_for_crash send_abort_for_kill'),
	('fixed when the server or the database was made',
	 'block_size data_checksums data_directory_mode debug_assertions'
	 ' integer_datetimes lc_collate lc_ctype max_function_args'
	 ' max_identifier_length max_index_keys num_os_semaphores segment_size'
	 ' server_encoding server_version server_version_num wal_block_size'
	 ' wal_segment_size'),
	('locks and processes',
	 'max_locks_per_transaction max_pred_locks_per_page'
	 ' max_pred_locks_per_relation max_pred_locks_per_transaction'
	 ' max_prepared_transactions max_worker_processes'),
	('replication, archiving, recovery and write-ahead log',
	 'archive_cleanup_command archive_command archive_library archive_mode'
	 ' archive_timeout checkpoint_completion_target checkpoint_flush_after'
	 ' checkpoint_timeout checkpoint_warning commit_delay commit_siblings'
	 ' debug_logical_replication_streaming effective_wal_level fsync'
	 ' full_page_writes hot_standby hot_standby_feedback'
	 ' idle_replication_slot_timeout ignore_invalid_pages in_hot_standby'
	 ' logical_replication_mode'
	 ' max_active_replication_origins max_logical_replication_workers'
	 ' max_parallel_apply_workers_per_subscription max_replication_slots'
	 ' max_repack_replication_slots max_retention_duration'
	 ' max_slot_wal_keep_size max_standby_archive_delay'
	 ' max_standby_streaming_delay max_sync_workers_per_subscription'
	 ' max_wal_senders max_wal_size min_wal_size primary_conninfo'
	 ' primary_slot_name promote_trigger_file recovery_end_command'
	 ' recovery_min_apply_delay recovery_prefetch recovery_target'
	 ' recovery_target_action recovery_target_inclusive'
	 ' recovery_target_lsn recovery_target_name recovery_target_time'
	 ' recovery_target_timeline recovery_target_xid restore_command'
	 ' summarize_wal sync_replication_slots synchronized_standby_slots'
	 ' synchronous_commit synchronous_standby_names track_commit_timestamp'
	 ' wal_buffers wal_compression wal_consistency_checking'
	 ' wal_decode_buffer_size wal_init_zero wal_keep_size wal_level'
	 ' wal_log_hints wal_receiver_create_temp_slot'
	 ' wal_receiver_status_interval wal_receiver_timeout wal_recycle'
	 ' wal_retrieve_retry_interval wal_sender_shutdown_timeout'
	 ' wal_sender_timeout wal_summary_keep_time wal_sync_method'
	 ' wal_writer_delay wal_writer_flush_after'),
	('the server log and the process title',
	 'backtrace_functions debug_pretty_print debug_print_parse'
	 ' debug_print_plan debug_print_raw_parse debug_print_rewritten'
	 ' event_source log_autoanalyze_min_duration'
	 ' log_autovacuum_min_duration log_checkpoints log_connections'
	 ' log_destination log_directory log_disconnections log_duration'
	 ' log_error_verbosity log_executor_stats log_file_mode log_filename'
	 ' log_hostname log_line_prefix log_lock_failures log_lock_waits'
	 ' log_min_duration_sample log_min_duration_statement'
	 ' log_min_error_statement log_min_messages log_parameter_max_length'
	 ' log_parameter_max_length_on_error log_parser_stats'
	 ' log_planner_stats log_recovery_conflict_waits'
	 ' log_replication_commands log_rotation_age log_rotation_size'
	 ' log_startup_progress_interval log_statement'
	 ' log_statement_sample_rate log_statement_stats log_temp_files'
	 ' log_timezone log_transaction_sample_rate log_truncate_on_rotation'
	 ' logging_collector md5_password_warnings syslog_facility syslog_ident'
	 ' syslog_sequence_numbers syslog_split_messages trace_connection_negotiation'
	 ' trace_lock_oidmin trace_lock_table trace_locks trace_lwlocks'
	 ' trace_notify trace_recovery_messages trace_sort trace_syncscan'
	 ' trace_userlocks update_process_title'),
	('statistics: functions that read them are not cached',
	 'compute_query_id query_id_squash_values stats_fetch_consistency'
	 ' track_activities track_activity_query_size track_cost_delay_timing'
	 ' track_counts track_functions track_io_timing track_wal_io_timing'),
	('for developers: no influence on rows',
	 'debug_copy_parse_plan_trees debug_deadlocks debug_discard_caches'
	 ' debug_raw_expression_coverage_test debug_write_read_parse_plan_trees'
	 ' jit_debugging_support jit_dump_bitcode jit_profiling_support'
	 ' optimize_bounded_sort post_auth_delay pre_auth_delay wal_debug')
) AS v (why, names);

-- nobody decided about these
SELECT s.name AS undecided
FROM pg_settings s
WHERE s.name NOT LIKE '%.%'
  AND s.name NOT IN (SELECT name FROM perfopt_cache_settings() AS k (name))
  AND s.name NOT IN (SELECT name FROM irrelevant)
ORDER BY 1;

-- these cannot be both
SELECT k.name AS both
FROM perfopt_cache_settings() AS k (name)
WHERE k.name IN (SELECT name FROM irrelevant)
ORDER BY 1;

-- each name once, in the order of pg_settings
SELECT k.name AS twice
FROM perfopt_cache_settings() AS k (name)
GROUP BY k.name HAVING count(*) > 1;
SELECT array_agg(k.name ORDER BY n) =
	array_agg(k.name ORDER BY lower(k.name) COLLATE "C") AS sorted
FROM perfopt_cache_settings() WITH ORDINALITY AS k (name, n);

DROP TABLE irrelevant;
