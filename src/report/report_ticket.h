/*
 * report_ticket: one trouble on one page: what it comes to, the lines that prove it, who can change it and how, and
 * a message to them, ready to be sent.
 *
 * The page is put together once (report_ticket_page); the screen shows it, and it is written as text or as
 * Markdown. Its texts are in the guide's language and safe to show.
 *
 * Threads: the face's. Ownership: report_page_free; a page borrows the finding and the pasted text.
 */
#ifndef SMTPSCOPE_REPORT_TICKET_H
#define SMTPSCOPE_REPORT_TICKET_H

#include "reply_decode.h"
#include "report.h"

#define REPORT_PAGE_STEPS_MAX (2 * GUIDE_DO_MAX)

/* What the page is about. All but the finding may be left out; texts are safe to show. */
struct report_ticket {
    const struct finding *finding; /* the cause, NULL: none of this run's */
    const struct reply_cause *reply; /* of a refusal that was pasted; NULL: there is none, or it is not known */
    enum confidence confidence;      /* of that, */
    enum reply_basis basis;          /* what of it told the cause, */
    const struct reply_vendor *vendor; /* and by whose rule; NULL: a rule for all */
    const char *pasted;              /* its text, raw */
    const char *title;             /* what it comes to; NULL: the finding's title */
    const char *summary;           /* a sentence or two about it */
    const char *message;           /* what the message to them begins with */
    struct guide_step todo[GUIDE_DO_MAX]; /* behind the finding's own */
    size_t todo_count;
    bool names_who; /* `who` goes before that of the finding */
    enum who who;
};

struct report_page {
    bool demo;
    char *title;
    char *cause; /* the finding's title, or NULL when it is the title */
    enum verdict verdict; /* VERDICT_PENDING: there is no finding */
    const struct finding *finding;
    char *summary, *means; /* or NULL */
    char basis[160];       /* how a reply was explained; "" for none */
    enum who who;
    enum confidence confidence;
    struct guide_step steps[REPORT_PAGE_STEPS_MAX]; /* those of one side stand together */
    size_t step_count;
    const char *pasted;
    const char *reference; /* "" for none */
    char *link;            /* or NULL */
    char *message;         /* several lines */
};

/* The worst of a run, for a ticket without the guided mode; its finding is NULL when nothing is wrong. */
void report_ticket_worst(const struct record *r, struct report_ticket *out);
enum status report_ticket_page(const struct record *r, const struct report_options *o,
                               const struct report_ticket *ticket, struct report_page *out) MUST_CHECK;
void report_page_free(struct report_page *page);
/* "To whoever runs the mail server:" */
const char *report_ticket_addressee(enum who who);

#endif
