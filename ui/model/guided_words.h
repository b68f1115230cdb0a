/*
 * guided_words: what the names in playbooks mean here: steps are checks, fields are what a person is asked for,
 * facts come from plan and run, outcomes are findings, verdicts of steps, and what a pasted refusal says.
 *
 * Threads: the face's. Ownership: nothing is kept.
 */
#ifndef SMTPSCOPE_GUIDED_WORDS_H
#define SMTPSCOPE_GUIDED_WORDS_H

#include "playbook.h"
#include "record.h"
#include "reply_decode.h"

/* All that a playbook may name; for playbooks_load. */
extern const struct playbook_known guided_known;

/* Something that a person types. */
struct guided_field {
    const char *name;
    bool target; /* it says where the mail goes, and with that which server is meant */
    /* What stands in the field at first. ST_LIMIT leaves what fitted. */
    enum status (*preset)(const struct plan *plan, struct buf *out);
    /* Takes it into the plan; ST_INVALID with a sentence, and the plan is as it was. NULL: it is no wish. */
    enum status (*accept)(struct plan *plan, const char *text, struct error *error);
};
const struct guided_field *guided_field_find(const char *name); /* NULL when unknown */

/* Sets the words that texts may use from what is known now. */
enum status guided_facts(struct playbook_walk *w, const struct plan *plan, const struct record *record)
    MUST_CHECK;

/* The outcome of a refusal that names no reason that is known here. */
#define GUIDED_REPLY_NONE "reply.none"
/* What a refusal says that somebody pasted: the text may be a line of a bounce or of a log. */
struct reply_verdict guided_reply_read(const char *text);

#define GUIDED_OUTCOMES_MAX (2 * RECORD_FINDINGS_MAX + CHECK_COUNT + 1)
/* What the run knows, as (finding, verdict), (finding, class of its reply), (step, verdict), and the refusal, if
   there is one, as (cause, class). The strings live as long as the record. Returns the count. */
size_t guided_outcomes(const struct record *record, const struct reply_verdict *reply,
                       struct playbook_outcome out[GUIDED_OUTCOMES_MAX]);

#endif
