/*
 * playbook: from a symptom to its cause, step by step: what the guided mode follows.
 *
 * A playbook is a text file, UTF-8, made of nodes:
 *
 *   symptom: I can't receive mail
 *   about: Mail to your domain comes back, or never arrives.
 *   order: 10
 *
 *   [find]
 *   say: Name servers are asked which hosts take mail for {domain}.
 *        Continued by indentation.
 *   why: A sender begins there, too.
 *   run: dns.mx dns.address
 *   when dns.mx.null, dns.mx.none fail: goto no_mail
 *   explain: The domain says that it takes no mail.
 *   otherwise: goto who
 *
 *   [who]
 *   say: Those who cannot get through know more.
 *   ask: Who has trouble?
 *   choice all: Everybody
 *   choice one: One sender only
 *   when one: goto which
 *   otherwise: goto all_well
 *
 *   [which]
 *   say: The test mail goes there.
 *   ask recipient: To whom did that sender write?
 *   otherwise: goto all_well
 *
 *   [no_mail]
 *   end: No mail can reach {domain}
 *   cause: dns.mx.*
 *   say: Nobody can write to the domain until its DNS names a mail host.
 *   do dns: Add an MX record.
 *
 * The first node is where one begins. A node either runs steps, asks, or is an end:
 *   run: NAME...        steps of whoever walks the playbook, opaque here
 *   ask: QUESTION       with two or more choices; the name of the choice is the outcome
 *   ask FIELD: QUESTION something that is typed; what kind of thing is opaque here, the answer is the
 *                       word {FIELD}
 *   end: HEADLINE       with an optional cause (a pattern; else the outcome that led here), who can fix it
 *                       (who: server), more to do (do WHO:, as in a guide), and what to write to them
 *                       (message:)
 * say and why are for people: what is about to be done, and what for.
 *
 * After a run or an answer, its outcome is a list of (id, verdict). The first rule that matches one of them
 * decides: "when PATTERN [VERDICT...], ...: goto NODE"; * in a pattern is anything. "otherwise: goto NODE" is
 * the last rule. explain: says what the outcome means and belongs to the rule above it. "skip: goto NODE" is
 * where one goes on without doing it; else as otherwise.
 *
 * {name} is replaced by a word that is known by then, as in a guide (fill.h), [[...]] left out without it.
 *
 * When a file is read it is made sure that every node can be reached, that an end can be reached from every
 * node, and that a circle leads through a question; that one is answered at most PLAYBOOK_VISITS_MAX times
 * with the same way on.
 *
 * Files are playbooks/<language>/<name>.txt in the data directory; where there is none in the language, the
 * one in "en" counts, and then the one that is built into the program.
 *
 * Threads: loading and reading are pure but for the files; a walk belongs to one thread at a time. Ownership:
 * playbooks_free, playbook_walk_free; a walk borrows its playbook.
 */
#ifndef SMTPSCOPE_PLAYBOOK_H
#define SMTPSCOPE_PLAYBOOK_H

#include "guide.h"

#define PLAYBOOK_FILE_MAX (1u << 20)
#define PLAYBOOKS_MAX 64
#define PLAYBOOK_NODES_MAX 64
#define PLAYBOOK_RULES_MAX 32  /* of a node */
#define PLAYBOOK_CHOICES_MAX 9 /* of a question */
#define PLAYBOOK_STEPS_MAX 8   /* of a node */
#define PLAYBOOK_NAME_MAX 40
#define PLAYBOOK_ID_MAX 64 /* of an outcome */
#define PLAYBOOK_FACTS_MAX 32
#define PLAYBOOK_VISITS_MAX 5
#define PLAYBOOK_PATH_MAX 256
#define PLAYBOOK_NOWHERE SIZE_MAX

enum playbook_kind { PLAYBOOK_NONE, PLAYBOOK_RUN, PLAYBOOK_CHOICE, PLAYBOOK_FIELD, PLAYBOOK_END };

struct playbook_rule {
    char *when; /* NULL: otherwise */
    size_t to;
    char *explain; /* or NULL */
    unsigned line;
};

struct playbook_choice {
    char *name, *text;
};

struct playbook_node {
    char *name;
    enum playbook_kind kind;
    char *say, *why;                 /* why: or NULL */
    char *steps[PLAYBOOK_STEPS_MAX]; /* PLAYBOOK_RUN */
    size_t step_count;
    char *question, *field; /* PLAYBOOK_CHOICE, PLAYBOOK_FIELD */
    struct playbook_choice choices[PLAYBOOK_CHOICES_MAX];
    size_t choice_count;
    struct playbook_rule *rules; /* none behind "otherwise" */
    size_t rule_count;
    size_t skip_to; /* PLAYBOOK_NOWHERE: it cannot be skipped */
    /* PLAYBOOK_END */
    char *title;
    char *cause;   /* patterns as of a rule, or NULL */
    char *message; /* or NULL */
    struct guide_step todo[GUIDE_DO_MAX];
    size_t todo_count;
    bool names_who; /* then `who` goes before that of the cause */
    enum who who;
    /* How many nodes lie ahead at most, this one included, when nothing is asked twice. */
    size_t ahead;
    unsigned line;
};

struct playbook {
    char *name; /* "receive" */
    char *symptom, *about;
    unsigned order; /* in lists; small numbers first */
    struct playbook_node *nodes;
    size_t count;
};

/* What the names in a playbook may be; NULL: anything. */
struct playbook_known {
    bool (*step)(const char *name);
    bool (*field)(const char *name);
    bool (*fact)(const char *name);           /* that is not the name of a field */
    bool (*outcome)(const char *pattern);     /* could this pattern ever match? */
};

struct playbooks; /* opaque, heap */

/* All that there are, in order. ST_INVALID with a sentence that names file, line and what was expected; data_dir
   may be NULL. */
enum status playbooks_load(struct playbooks **out, const char *data_dir, const char *lang,
                           const struct playbook_known *known, struct error *error) MUST_CHECK;
void playbooks_free(struct playbooks *books);
size_t playbooks_count(const struct playbooks *books);
const struct playbook *playbooks_at(const struct playbooks *books, size_t i);
const struct playbook *playbooks_find(const struct playbooks *books, const char *name); /* or NULL */

/* "dns.mx.*" against one id; a pattern without a star is the whole id. */
bool playbook_pattern(const char *pattern, const char *id);

struct playbook_outcome {
    const char *id, *verdict;
};
/* Does "PATTERN [VERDICT...], ..." match one of them? Its number, or SIZE_MAX. */
size_t playbook_match(const char *when, const struct playbook_outcome *outcomes, size_t count);

/* Where somebody is, how he got there, and the words that are known. */
struct playbook_walk {
    const struct playbook *book;
    struct {
        uint8_t node;
        char by[PLAYBOOK_ID_MAX]; /* the outcome that led here; "" for none */
    } path[PLAYBOOK_PATH_MAX];
    size_t depth;
    uint8_t visits[PLAYBOOK_NODES_MAX];
    const struct playbook_rule *rule; /* decided on, NULL before */
    char by[PLAYBOOK_ID_MAX];         /* what decided */
    struct {
        char name[PLAYBOOK_NAME_MAX];
        char *value;
    } facts[PLAYBOOK_FACTS_MAX];
    size_t fact_count;
};

void playbook_walk_begin(struct playbook_walk *w, const struct playbook *book);
void playbook_walk_free(struct playbook_walk *w);
/* From the first node again; the words stay. */
void playbook_restart(struct playbook_walk *w);
const struct playbook_node *playbook_node(const struct playbook_walk *w);
/* The place of this node on the way, from 1 on, and how long the way is about to be. */
size_t playbook_place(const struct playbook_walk *w, size_t *about);

/* NULL or "" forgets it. ST_LIMIT when there are too many, or the name is too long. */
enum status playbook_set_fact(struct playbook_walk *w, const char *name, const char *value)
    MUST_CHECK;
const char *playbook_fact(const struct playbook_walk *w, const char *name); /* or NULL */
/* A text of the playbook with the words filled in: safe to show. NULL adds nothing. */
enum status playbook_fill(const struct playbook_walk *w, const char *text, unsigned escape_flags,
                          struct buf *out) MUST_CHECK;

/* Which rule the outcome of this node leads to; ST_INVALID when there is none. Goes nowhere yet. */
enum status playbook_decide(struct playbook_walk *w, const struct playbook_outcome *outcomes,
                            size_t count) MUST_CHECK;
/* Where the rule leads. ST_LIMIT: this question was answered like that often enough. */
enum status playbook_go(struct playbook_walk *w) MUST_CHECK;
/* On without doing it. ST_INVALID: it cannot be skipped. */
enum status playbook_skip(struct playbook_walk *w) MUST_CHECK;
/* To the node before; false at the first. */
bool playbook_back(struct playbook_walk *w);
/* The patterns of the finding that an end is about, or NULL. */
const char *playbook_cause(const struct playbook_walk *w);

#endif
