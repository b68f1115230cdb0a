/*
 * lesson: a scenario as a lesson: what is asked, what is still veiled, and which lessons were
 * solved.
 *
 * The answer to a lesson is one finding, the cause. Four others are offered beside it, which look
 * most like it: of the same check where it has so many, and near in the table. They are chosen by
 * the scenario's name, so a lesson asks the same each time.
 *
 * Threads: pure. Ownership: by value.
 */
#ifndef SMTPSCOPE_LESSON_H
#define SMTPSCOPE_LESSON_H

#include "finding.h"

#define LESSON_CANDIDATES 5
#define LESSON_NAME_MAX 64    /* bytes of a scenario's name */
#define LESSON_SOLVED_MAX 512 /* more are not remembered */
#define LESSON_FILE_MAX ((size_t)64 * 1024)

struct lesson_question {
    const struct finding_kind *kinds[LESSON_CANDIDATES];
    size_t right;
};

/* `ids` are the findings that are true in the scenario, the cause first: none of them is offered as
   a wrong answer. False when the cause is no finding, so that nothing can be asked. */
bool lesson_ask(const char *scenario, char *const *ids, size_t id_count,
                struct lesson_question *out) MUST_CHECK;

enum lesson_phase {
    LESSON_NONE,   /* nothing is practised */
    LESSON_SHOWN,  /* practised without a question: everything is shown */
    LESSON_VEILED, /* the question is open: the diagnosis is not shown */
    LESSON_SOLVED,
    LESSON_GIVEN_UP
};

struct lesson {
    enum lesson_phase phase;
    struct lesson_question question;
    bool tried[LESSON_CANDIDATES]; /* and found to be wrong */
    size_t hints, hints_shown;
    unsigned wrong; /* answers */
};

/* `asks`: with the question, when there is one; else everything is shown. */
void lesson_init(struct lesson *l, const char *scenario, char *const *ids, size_t id_count,
                 size_t hints, bool asks);
bool lesson_veils(const struct lesson *l);
/* One more hint; false when there is none. */
bool lesson_hint(struct lesson *l);
/* True when it is the right one: then the lesson is solved. */
bool lesson_answer(struct lesson *l, size_t candidate);
void lesson_give_up(struct lesson *l);

/* Names of scenarios whose lesson was solved, and the same as a text: one name a line. */
struct lesson_progress {
    char names[LESSON_SOLVED_MAX][LESSON_NAME_MAX + 1];
    size_t count;
};

bool lesson_is_solved(const struct lesson_progress *p, const char *name);
/* What is no name of a scenario, and what is over the limit, is left out. */
void lesson_set_solved(struct lesson_progress *p, const char *name);
/* Adds what a file says. It may say anything: only names are taken from it. */
void lesson_progress_read(struct lesson_progress *p, const char *text, size_t len);
enum status lesson_progress_write(const struct lesson_progress *p, struct buf *out) MUST_CHECK;

#endif
