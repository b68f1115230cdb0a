/*
 * guided: where somebody is in the guided mode, and what comes next. Pure state: it never talks to the engine, it
 * says which steps it wants and is told when they are done.
 *
 * A node that runs steps is shown first (GUIDED_READY), runs (GUIDED_BUSY), and shows what came of it
 * (GUIDED_OUTCOME); a question is only GUIDED_READY, an end GUIDED_END.
 *
 * Threads: the face's. Ownership: guided_free; playbooks are borrowed.
 */
#ifndef SMTPSCOPE_GUIDED_H
#define SMTPSCOPE_GUIDED_H

#include "guided_words.h"
#include "report_ticket.h"

enum guided_phase {
    GUIDED_OFF, /* no playbook was chosen */
    GUIDED_READY,
    GUIDED_BUSY,
    GUIDED_OUTCOME,
    GUIDED_END
};

struct guided {
    struct playbook_walk walk;
    enum guided_phase phase;
    bool fresh;     /* there is no run for this target yet */
    bool again;     /* what the run knows of these steps does not count: they are done once more */
    uint64_t asked; /* steps that are being done */
    char *pasted;   /* a refusal, and what it says */
    struct reply_verdict reply;
};

/* From the first node of the playbook. `record` is the run that there is. */
enum status guided_begin(struct guided *g, const struct playbook *book, const struct plan *plan,
                         const struct record *record) MUST_CHECK;
void guided_free(struct guided *g);
/* A run was begun by somebody else: what is known is known no more. */
void guided_restart(struct guided *g, const struct plan *plan, const struct record *record);
const struct playbook_node *guided_node(const struct guided *g); /* NULL when off */

/* Bits of the steps of this node that have to be done; 0 when the run knows them all, or nothing is run here. */
uint64_t guided_wants(const struct guided *g, const struct record *record);
/* All the bits of this node. */
uint64_t guided_steps(const struct guided *g);
/* They were handed to the engine. */
void guided_started(struct guided *g, uint64_t mask);
/* The engine has come to rest. True when what was asked for is decided: then the phase is GUIDED_OUTCOME, else
   (stopped, no consent) GUIDED_READY again. */
bool guided_rested(struct guided *g, const struct plan *plan, const struct record *record);
/* What the run knows already decides: GUIDED_OUTCOME. */
void guided_take_known(struct guided *g, const struct plan *plan, const struct record *record);

/*
 * The answer to a question. The plan may change by it: the target, the recipient. ST_INVALID with a sentence;
 * ST_LIMIT, with one, too: this was answered the same way often enough. Where the answer explains something the
 * phase is GUIDED_OUTCOME; else one is at the next node.
 */
enum status guided_choose(struct guided *g, size_t choice, const struct plan *plan,
                          const struct record *record, struct error *error) MUST_CHECK;
enum status guided_answer(struct guided *g, const char *text, struct plan *plan,
                          const struct record *record, struct error *error) MUST_CHECK;
/* What stands in the field of this node at first. */
enum status guided_preset(const struct guided *g, const struct plan *plan, struct buf *out) MUST_CHECK;

/* On from an outcome; without doing it; back. */
enum status guided_go(struct guided *g, const struct plan *plan, const struct record *record,
                      struct error *error) MUST_CHECK;
enum status guided_skip(struct guided *g, const struct plan *plan, const struct record *record,
                        struct error *error) MUST_CHECK;
bool guided_back(struct guided *g, const struct plan *plan, const struct record *record);

/* The step that found what the end is about, or CHECK_NONE. */
enum check_id guided_cause_step(const struct guided *g, const struct record *record);
/* The last page of this way, built with the end's texts. */
enum status guided_page(const struct guided *g, const struct record *record,
                        const struct report_options *options, struct report_page *out) MUST_CHECK;
/* The same as a file, in the format of the options, which has to be that of a ticket. */
enum status guided_report(const struct guided *g, const struct record *record,
                          const struct report_options *options, struct buf *out) MUST_CHECK;

#endif
