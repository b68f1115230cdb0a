/*
 * checks_world: one run of the checks over a practice network, with everything that they told kept
 * for asking.
 *
 * Threads: tests are single-threaded. Ownership: world_close frees all.
 */
#ifndef SMTPSCOPE_TEST_CHECKS_WORLD_H
#define SMTPSCOPE_TEST_CHECKS_WORLD_H

#include "check.h"
#include "practice.h"

#define WORLD_FINDINGS_MAX 64
#define WORLD_LINES_MAX 4096

struct world_line {
    enum smtp_dir dir;
    unsigned flags;
    uint16_t path;
    char *text;
    size_t len;
};

struct world {
    struct network *net;
    struct cancel cancel;
    struct redactor redactor;
    struct plan plan;
    struct check_sink sink;
    struct check_context c;
    bool running;
    struct {
        enum check_id check;
        uint16_t path;
        struct finding f;
    } findings[WORLD_FINDINGS_MAX];
    size_t finding_count;
    struct world_line lines[WORLD_LINES_MAX];
    uint32_t line_count;
    uint16_t paths;
    unsigned facts_told, answers_told, dials_told;
    /* Raises the token when this many more lines were told; 0: never. */
    unsigned cancel_after;
};

/* A network from the scenario text, and a plan for the target. Fails the test when either is wrong.
 */
struct world *world_open(const char *scenario, const char *target);
/* The same over the sockets of this machine, for what the practice network cannot act out. */
struct world *world_open_here(const char *target);
void world_close(struct world *w);
/* All checks in order, as the run does it: what is blocked is skipped. */
void world_run(struct world *w);
/* One check, whatever the others said. */
enum verdict world_step(struct world *w, enum check_id id);

/*
 * The ids that this check reported, in order, separated by blanks, are exactly these. Every
 * finding's arguments that its texts may use are there, and evidence of problems is marked.
 */
void world_expect(struct world *w, enum check_id id, enum verdict verdict, const char *ids);
/* The first finding with this id; fails the test when there is none. */
const struct finding *world_find(struct world *w, const char *id);
void world_arg(struct world *w, const char *id, const char *arg, const char *value);
/* True when a line told (or a command that a server saw) holds the text. */
bool world_told(const struct world *w, const char *text);
bool world_log_has(const struct world *w, const char *text);
/* How often servers saw it. */
unsigned world_log_count(const struct world *w, const char *text);
void world_forget(struct world *w); /* findings so far */

#endif
