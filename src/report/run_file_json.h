/*
 * run_file_json: typed access to the JSON of a saved run. Private to this room.
 *
 * Every function leaves *out alone where the key is missing or null. The first value that is of
 * another kind than expected ends the reading: each function says ST_INVALID, and the reader
 * remembers the key.
 *
 * Threads: pure. Ownership: strings that are set belong to the caller; json_t pointers are
 * borrowed.
 */
#ifndef SMTPSCOPE_RUN_FILE_JSON_H
#define SMTPSCOPE_RUN_FILE_JSON_H

#include <jansson.h>

#include "run_file.h"

struct run_reader {
    struct run_file *f;
    const char *bad; /* the key whose value is of the wrong kind */
};

/* ST_INVALID, because of this key. */
enum status run_bad(struct run_reader *r, const char *key) MUST_CHECK;

/* A copy, cut at a NUL. ST_INVALID over `max` bytes. */
enum status run_string(struct run_reader *r, const json_t *o, const char *key, size_t max,
                       char **out) MUST_CHECK;
/* Into a fixed field, cut where it does not fit. */
enum status run_text(struct run_reader *r, const json_t *o, const char *key, char *out,
                     size_t size) MUST_CHECK;
enum status run_integer(struct run_reader *r, const json_t *o, const char *key, int64_t min,
                        int64_t max, int64_t *out) MUST_CHECK;
enum status run_bool(struct run_reader *r, const json_t *o, const char *key, bool *out) MUST_CHECK;
/* Milliseconds, whole or not, as microseconds. */
enum status run_ms(struct run_reader *r, const json_t *o, const char *key, int64_t *out) MUST_CHECK;
/* "2026-11-23T12:09:44Z" as seconds since 1970. */
enum status run_time(struct run_reader *r, const json_t *o, const char *key,
                     int64_t *out) MUST_CHECK;
enum status run_address(struct run_reader *r, const json_t *o, const char *key,
                        struct net_address *out) MUST_CHECK;
/* The index of the word among `count`, by name_at. ST_INVALID for a word that is not there. */
enum status run_word(struct run_reader *r, const json_t *o, const char *key,
                     const char *(*name_at)(size_t i), size_t count, size_t *out) MUST_CHECK;
/* NULL where it is missing; ST_INVALID when it is no list, or no object. */
enum status run_list(struct run_reader *r, const json_t *o, const char *key,
                     const json_t **out) MUST_CHECK;
enum status run_object(struct run_reader *r, const json_t *o, const char *key,
                       const json_t **out) MUST_CHECK;
/* CHECK_NONE where it is missing, null or not known. */
enum status run_check(struct run_reader *r, const json_t *o, const char *key,
                      enum check_id *out) MUST_CHECK;

/* run_file_parts.c and run_file_exchanges.c: one list of the file each. */
enum status run_read_checks(struct run_reader *r, const json_t *list) MUST_CHECK;
enum status run_read_paths(struct run_reader *r, const json_t *list) MUST_CHECK;
enum status run_read_answers(struct run_reader *r, const json_t *list) MUST_CHECK;
enum status run_read_dials(struct run_reader *r, const json_t *list) MUST_CHECK;
enum status run_read_lines(struct run_reader *r, const json_t *list) MUST_CHECK;

#endif
