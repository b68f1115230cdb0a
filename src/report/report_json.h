/*
 * report_json: pieces that the files of the JSON report share. Private to this room.
 *
 * Every function returns a new reference, or NULL when there is no memory; json_object_set_new and
 * json_array_append_new take a NULL for a failure, so that failures travel up by themselves.
 *
 * Threads: pure. Ownership: references go to the caller.
 */
#ifndef SMTPSCOPE_REPORT_JSON_H
#define SMTPSCOPE_REPORT_JSON_H

#include <jansson.h>

#include "guide.h"
#include "record.h"

/* Valid UTF-8 as it is, anything else escaped (escape.h). */
json_t *report_json_bytes(const char *p, size_t len);
json_t *report_json_string(const char *text); /* NULL becomes null */
json_t *report_json_ms(int64_t us);
bool report_json_put(json_t *object, const char *key, json_t *value); /* takes value over */

json_t *report_json_path(const struct facts *f);
json_t *report_json_steps(const struct guide_text *text);
/* Appends the value, all in ASCII, and releases it. ST_NOMEM for a NULL. */
enum status report_json_dump(struct buf *out, json_t *value) MUST_CHECK;
json_t *report_json_address(const struct net_address *a); /* null for none */

/* What a run was asked to do, without the password. */
json_t *report_json_options(const struct plan *plan);
/* Our own side, as far as it is known. */
json_t *report_json_self(const struct facts *own);
json_t *report_json_answers(const struct record *r);
json_t *report_json_dials(const struct record *r);

/* How an attempt to connect ended, and a conversation: words of the schema. */
const char *report_dial_result(const struct dial_facts *f);
const char *report_dial_end(enum status why);
/* The other way round; a word that is not known reads as "failed". */
void report_dial_result_of(const char *word, struct dial_facts *f);
enum status report_dial_end_of(const char *word);
/* "problem" for LINE_PROBLEM...; NULL at the end of the list. *flag gets the bit. */
const char *report_line_flag(size_t index, uint8_t *flag);

#endif
