/*
 * options: the command line. One table holds every option; reading, --help, the manual page and the
 * shell completions are all made from it, so that they cannot disagree.
 *
 * Threads: the main thread, before any other. Ownership: struct options owns its plan; its other
 * texts point into argv or the environment and are good as long as the program runs.
 */
#ifndef SMTPSCOPE_OPTIONS_H
#define SMTPSCOPE_OPTIONS_H

#include <stdio.h>

#include "exit_code.h"
#include "plan.h"
#include "script.h"

enum options_mode {
    OPTIONS_RUN,
    OPTIONS_HELP,
    OPTIONS_VERSION,
    OPTIONS_SCENARIOS,
    OPTIONS_PLAYBOOKS,
    OPTIONS_MAKE_SCENARIO,
    OPTIONS_MAN,
    OPTIONS_COMPLETION,
    OPTIONS_EXPLAIN
};

enum options_color { OPTIONS_COLOR_AUTO, OPTIONS_COLOR_ALWAYS, OPTIONS_COLOR_NEVER };
enum options_glyphs { OPTIONS_GLYPHS_AUTO, OPTIONS_GLYPHS_UTF8, OPTIONS_GLYPHS_ASCII };

struct options {
    int mode; /* enum options_mode */
    struct plan plan;
    const char *target; /* as given; NULL: none */
    const char *host;
    int port, family, tls, timeout_s;
    bool demo;
    const char *scenario; /* NULL: the first lesson */
    bool practice;        /* offer a scenario's server to other programs */
    struct net_address practice_at;
    bool practice_public;
    const char *practice_ca;
    const char *offered; /* the scenario of --practice; NULL: the first lesson */
    bool check, json, strict, plain, quiet, verbose;
    bool ascii, mouse, no_animation;
    int color, glyphs; /* enum options_color, enum options_glyphs */
    const char *lang;
    const char *save, *tee;
    const char *saved_run; /* to make a scenario of */
    const char *message, *attach; /* files; NULL: none */
    const char *replay;           /* file; NULL: none */
    struct script *script; /* read from it */
    unsigned replay_consent; /* SCRIPT_* that the options allow */
    const char *shell; /* whose completions to print */
    const char *explain; /* the reply to explain; NULL: the target, or standard input */
    int stage;           /* enum reply_stage of what is explained */
    const char *password_file, *password_env;
    int password_fd;    /* -1: none */
    bool from_scenario; /* read from a scenario's text, where the password is public */
};

void options_init(struct options *o);
void options_free(struct options *o);
/*
 * Reads the words behind the program's name, in any order. May be called more than once; later
 * words win. Nothing is looked up, opened or read here. ST_INVALID: wrong use. A password that was
 * put among the words is overwritten in them.
 */
enum status options_parse(struct options *o, int argc, char **argv, struct error *error) MUST_CHECK;
/* The options that a scenario assumes, in one text. `o` keeps pointing into *storage, the caller's.
 */
enum status options_parse_text(struct options *o, const char *text, char **storage,
                               struct error *error) MUST_CHECK;
/* Of what was typed alone, before a scenario adds to it: whether --practice and its kin go with the
 * rest. */
enum status options_check_practice(const struct options *o, struct error *error) MUST_CHECK;
/* ST_INVALID: two options contradict each other, or one needs another. */
enum status options_check(const struct options *o, struct error *error) MUST_CHECK;
/* Puts the target and what depends on several options into the plan. ST_INVALID: the input is bad.
 */
enum status options_finish(struct options *o, struct error *error) MUST_CHECK;
/* Reads the password from where the options say. ST_DENIED, ST_IO, ST_INVALID. */
enum status options_password(struct options *o, struct error *error) MUST_CHECK;
/* Reads the other files that the options name. Statuses as readfile; ST_DENIED also when a script
   needs a consent that was not given. */
enum status options_files(struct options *o, struct error *error) MUST_CHECK;
/* The part of it that the plan of a lesson needs too: the message. */
enum status options_message(struct options *o, struct error *error) MUST_CHECK;
/* The value of --lang alone, for the messages about all else; NULL when there is none. */
const char *options_find_lang(int argc, char **argv);
/* The program goes without the full screen. */
bool options_headless(const struct options *o);

/* options_text.c; translated but for the completions. */
void options_usage(FILE *out);
void options_help(FILE *out);
void options_man(FILE *out);
/* False when the shell is not known. */
bool options_completion(FILE *out, const char *shell);

/* The table (options_table.c). */
enum option_section {
    SECTION_TARGET,
    SECTION_WAY,
    SECTION_MESSAGE,
    SECTION_TLS,
    SECTION_LOGIN,
    SECTION_CONSENT,
    SECTION_PRACTICE,
    SECTION_OUTPUT,
    SECTION_EXPLAIN,
    SECTION_SCREEN,
    SECTION_OTHER,
    SECTION_HIDDEN,
    SECTION_FORBIDDEN, /* its value must not stand among the words at all */
    SECTION_COUNT
};

struct option_row {
    const char *name; /* long, without dashes */
    char letter;      /* 0: none */
    enum option_section section;
    const char *value;   /* what to call its value; NULL: takes none */
    bool value_optional; /* only as --name=value */
    const char *choices; /* space-separated, or NULL */
    const char *help;    /* one line, N_() */
    enum status (*set)(struct options *o, const struct option_row *row, const char *value,
                       struct error *error);
    size_t offset; /* in struct options, for the general setters */
    long min, max; /* of a number; of a flag: the value that is set is max */
};

extern const struct option_row option_rows[];
extern const size_t option_row_count;

#endif
