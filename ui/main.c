#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "console.h"
#include "explain.h"
#include "guided_words.h"
#include "headless.h"
#include "language.h"
#include "offer.h"
#include "options.h"
#include "out.h"
#include "practice.h"
#include "recorded.h"
#include "text.h"

#define FIRST_LESSON "healthy"

/* What the console's callbacks need of main. */
struct program {
    struct options options;
    struct language language;
    int argc; /* words behind the program's name */
    char **argv;
    char *scenario_words; /* what the options of a scenario point into */
    const char *data_dir; /* NULL: none */
};

/* A descriptor 0, 1 or 2 that is closed would be the next thing that we open. */
static void fill_standard_descriptors(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        if (fcntl(fd, F_GETFD) < 0 && errno == EBADF) {
            int opened = open("/dev/null", fd == STDIN_FILENO ? O_RDONLY : O_WRONLY);
            if (opened >= 0 && opened != fd) {
                close(opened);
            }
        }
    }
}

/* People watch a lesson at its own pace; scripts, and tests by SMTPSCOPE_PACE, do not wait. */
static enum practice_pace pace_of(bool headless)
{
    const char *wish = getenv("SMTPSCOPE_PACE");
    if (wish != NULL && strcmp(wish, "paced") == 0) {
        return PRACTICE_PACED;
    }
    return headless || (wish != NULL && strcmp(wish, "instant") == 0) ? PRACTICE_INSTANT
                                                                      : PRACTICE_PACED;
}

/*
 * A scenario assumes options of its own, which what was typed overrules. So all is read again, the
 * scenario's first.
 */
static enum status apply_scenario(struct program *p, const struct scenario_info *info,
                                  struct error *error)
{
    struct options fresh;
    options_init(&fresh);
    free(p->scenario_words);
    p->scenario_words = NULL;
    enum status st = options_parse_text(&fresh, info->options, &p->scenario_words, error);
    if (st == ST_OK) {
        st = options_parse(&fresh, p->argc, p->argv, error);
    }
    if (st != ST_OK) {
        options_free(&fresh);
        return st;
    }
    options_free(&p->options);
    p->options = fresh;
    return ST_OK;
}

static enum status open_practice(struct program *p, const char *name, bool headless,
                                 struct network **net, struct scenario_info *info,
                                 struct error *error)
{
    const struct practice_options options = {.pace = pace_of(headless)};
    return practice_open(p->data_dir, name, &options, net, info, error);
}

/* The scenario's target stands in where none was given. */
static enum status set_scenario_target(struct plan *plan, const struct scenario_info *info,
                                       struct error *error)
{
    if (info->target == NULL || info->target[0] == '\0') {
        return ST_OK;
    }
    return plan_set_target(plan, info->target, error);
}

/* For the console, which opens a network when a run begins. */
static enum status open_network(void *ctx, const char *scenario, struct plan *plan,
                                struct network **out, struct error *error)
{
    struct program *p = ctx;
    struct scenario_info info;
    if (scenario == NULL) {
        return net_system_open(out, error);
    }
    enum status st = open_practice(p, scenario, false, out, &info, error);
    if (st != ST_OK) {
        return st;
    }
    struct options lesson;
    char *words = NULL;
    options_init(&lesson);
    st = options_parse_text(&lesson, info.options, &words, error);
    if (st == ST_OK) {
        st = options_parse(&lesson, p->argc, p->argv, error);
    }
    /* A target that was typed belongs to the scenario that was typed, not to one chosen from the
     * list. */
    bool typed = p->options.scenario != NULL && strcmp(p->options.scenario, scenario) == 0;
    bool has_target = lesson.target != NULL || lesson.host != NULL;
    if (st == ST_OK && !(typed && has_target)) {
        lesson.target = lesson.host = NULL;
        st = set_scenario_target(&lesson.plan, &info, error);
    }
    if (st == ST_OK) {
        st = options_finish(&lesson, error);
    }
    if (st == ST_OK) {
        st = options_message(&lesson, error);
    }
    /* A lesson for the eye begins without consent: giving it, and typing the password, is part of
     * the lesson. */
    lesson.plan.relay_consent = p->options.plan.relay_consent;
    lesson.plan.send_consent = p->options.plan.send_consent;
    lesson.plan.auth_wanted = false;
    secret_free(&lesson.plan.password);
    if (st == ST_OK) {
        plan_free(plan);
        *plan = lesson.plan;
        plan_init(&lesson.plan);
    } else {
        net_network_close(*out);
        *out = NULL;
    }
    options_free(&lesson);
    free(words);
    scenario_info_free(&info);
    return st;
}

static int write_failed(const struct program *p, int sys)
{
    complain(p->language.ascii, _("Writing failed: %s."), strerror(sys));
    return EXIT_CODE_IO;
}

/* For scripts: a heading begins with #, any other line with the name of a scenario. */
static void add_scenario_lines(struct out *out, const struct practice_catalogue *c)
{
    const char *theme = "";
    for (size_t i = 0; i < c->count; i++) {
        const struct scenario_info *s = &c->p[i];
        char lesson[16] = "-";
        if (strcmp(s->theme, theme) != 0) {
            theme = s->theme;
            out_line(out, "# %s", practice_theme_title(theme));
        }
        if (s->lesson != 0) {
            snprintf(lesson, sizeof(lesson), "%u", s->lesson);
        }
        out_line(out, "%-25s %-9s %3s  %s", s->name, s->theme, lesson, s->title);
    }
}

static int print_scenarios(struct program *p)
{
    struct error error = {.text = ""};
    struct practice_catalogue catalogue;
    struct out out;
    int code = EXIT_CODE_OK;
    if (practice_catalogue_load(p->data_dir, &catalogue, &error) != ST_OK) {
        complain(p->language.ascii, "%s", error.text);
        return EXIT_CODE_INTERNAL;
    }
    out_init(&out, STDOUT_FILENO, p->language.ascii || p->options.ascii);
    add_scenario_lines(&out, &catalogue);
    if (!out_flush(&out) && !out.closed) {
        code = write_failed(p, out.sys);
    }
    out_free(&out);
    practice_catalogue_free(&catalogue);
    return code;
}

static int print_playbooks(struct program *p)
{
    struct error error = {.text = ""};
    struct playbooks *books = NULL;
    struct out out;
    int code = EXIT_CODE_OK;
    out_init(&out, STDOUT_FILENO, p->language.ascii || p->options.ascii);
    if (playbooks_load(&books, p->data_dir, p->language.code, &guided_known, &error) != ST_OK) {
        complain(out.ascii, "%s", error.text);
        code = EXIT_CODE_INPUT;
    }
    for (size_t i = 0; books != NULL && i < playbooks_count(books); i++) {
        const struct playbook *book = playbooks_at(books, i);
        out_line(&out, "%-12s %s", book->name, book->symptom);
    }
    playbooks_free(books);
    if (!out_flush(&out) && !out.closed) {
        code = write_failed(p, out.sys);
    }
    out_free(&out);
    return code;
}

static int print_version(void)
{
    printf("smtpscope %s\n%s\n", SMTPSCOPE_VERSION, tls_library_version());
    return EXIT_CODE_OK;
}

/* The modes that only print something. */
static int print_and_end(struct program *p)
{
    int code = EXIT_CODE_OK;
    switch ((enum options_mode)p->options.mode) {
    case OPTIONS_HELP:
        options_help(stdout);
        break;
    case OPTIONS_MAN:
        options_man(stdout);
        break;
    case OPTIONS_VERSION:
        code = print_version();
        break;
    case OPTIONS_SCENARIOS:
        return print_scenarios(p);
    case OPTIONS_PLAYBOOKS:
        return print_playbooks(p);
    case OPTIONS_MAKE_SCENARIO:
        return recorded_make(&(const struct recorded_options){.report = p->options.saved_run,
                                                              .save = p->options.save,
                                                              .quiet = p->options.quiet,
                                                              .ascii = p->language.ascii});
    case OPTIONS_COMPLETION:
        if (!options_completion(stdout, p->options.shell)) {
            complain(p->language.ascii, _("There are completions for bash, zsh and fish."));
            return EXIT_CODE_USAGE;
        }
        break;
    case OPTIONS_EXPLAIN:
    case OPTIONS_RUN:
        break;
    }
    if (fflush(stdout) != 0 && errno != EPIPE) {
        return write_failed(p, errno);
    }
    return code;
}

static int run_explain(struct program *p)
{
    const struct options *o = &p->options;
    if (o->json) {
        language_english(&p->language);
    }
    const struct explain_options options = {.text = o->explain != NULL ? o->explain : o->target,
                                            .data_dir = p->data_dir,
                                            .lang = p->language.code,
                                            .stage = (enum reply_stage)o->stage,
                                            .json = o->json,
                                            .ascii = p->language.ascii || o->ascii};
    return explain_run(&options);
}

static int usage_error(const struct program *p, const struct error *error)
{
    complain(p->language.ascii, "%s", error->text);
    return error->code == ST_NOMEM ? EXIT_CODE_INTERNAL : EXIT_CODE_USAGE;
}

static int input_error(const struct program *p, const struct error *error)
{
    complain(p->language.ascii, "%s", error->text);
    return (int)exit_code_of_input(error->code);
}

/* Options to plan; for --demo also the network, because a scenario brings options. */
static int prepare(struct program *p, bool headless, struct network **net)
{
    struct error error = {.text = ""};
    struct scenario_info info;
    const char *name = p->options.scenario != NULL ? p->options.scenario : FIRST_LESSON;
    bool demo = p->options.demo && headless;
    enum status st;
    /* The screen opens its network when a run begins: too late to tell that there is no such
     * scenario. */
    if (p->options.demo && !headless &&
        practice_open(p->data_dir, name, NULL, NULL, NULL, &error) != ST_OK) {
        return input_error(p, &error);
    }
    if (demo) {
        if (open_practice(p, name, true, net, &info, &error) != ST_OK) {
            return input_error(p, &error);
        }
        st = apply_scenario(p, &info, &error);
        if (st == ST_OK && p->options.target == NULL && p->options.host == NULL) {
            st = set_scenario_target(&p->options.plan, &info, &error);
        }
        scenario_info_free(&info);
        if (st != ST_OK) {
            return usage_error(p, &error);
        }
    }
    if (options_check(&p->options, &error) != ST_OK) {
        return usage_error(p, &error);
    }
    st = options_finish(&p->options, &error);
    if (st != ST_OK) {
        return input_error(p, &error);
    }
    st = options_password(&p->options, &error);
    if (st != ST_OK) {
        return input_error(p, &error);
    }
    st = options_files(&p->options, &error);
    if (st != ST_OK) {
        return input_error(p, &error);
    }
    const struct plan *plan = &p->options.plan;
    if (headless && plan->auth_user != NULL && !plan->auth_wanted && !plan->read_only) {
        complain(p->language.ascii,
                 _("--auth-user needs a password without a screen: --password-file, "
                   "--password-fd or --password-env."));
        return EXIT_CODE_USAGE;
    }
    if (!demo && headless) {
        st = net_system_open(net, &error);
    }
    return st == ST_OK ? EXIT_CODE_OK : input_error(p, &error);
}

static int run_headless(struct program *p)
{
    struct network *net = NULL;
    int code = prepare(p, true, &net);
    if (code != EXIT_CODE_OK) {
        net_network_close(net);
        return code;
    }
    const struct options *o = &p->options;
    if (o->json) {
        language_english(&p->language);
    }
    const struct headless_options options = {.plan = &o->plan,
                                             .net = net,
                                             .data_dir = p->data_dir,
                                             .own_english = p->language.data_dir_named,
                                             .lang = p->language.code,
                                             .json = o->json,
                                             .strict = o->strict,
                                             .quiet = o->quiet,
                                             .verbose = o->verbose,
                                             .ascii = p->language.ascii || o->ascii,
                                             .save_path = o->save,
                                             .tee_path = o->tee,
                                             .script = o->script};
    return headless_run(&options);
}

static enum console_color color_of(const struct options *o)
{
    const char *no_color = getenv("NO_COLOR");
    if (o->color == OPTIONS_COLOR_ALWAYS) {
        return COLOR_ALWAYS;
    }
    bool off = o->color == OPTIONS_COLOR_NEVER || (no_color != NULL && no_color[0] != '\0');
    return off ? COLOR_NEVER : COLOR_AUTO;
}

static enum console_glyphs glyphs_of(const struct program *p)
{
    if (p->language.ascii || p->options.ascii || p->options.glyphs == OPTIONS_GLYPHS_ASCII) {
        return GLYPHS_ASCII;
    }
    return p->options.glyphs == OPTIONS_GLYPHS_UTF8 ? GLYPHS_UTF8 : GLYPHS_AUTO;
}

static int run_console(struct program *p)
{
    int code = prepare(p, false, NULL);
    if (code != EXIT_CODE_OK) {
        return code;
    }
    struct options *o = &p->options;
    o->plan.stay = true;
    const char *scenario = o->scenario != NULL ? o->scenario : FIRST_LESSON;
    const struct console_options options = {
        .app = {.plan = &o->plan,
                .have_target = o->target != NULL || o->host != NULL || o->demo,
                .scenario = o->demo ? scenario : NULL,
                .data_dir = p->data_dir,
                .lang = p->language.code,
                .ascii = p->language.ascii || o->ascii,
                .animation = !o->no_animation,
                .save_path = o->save,
                .tee_path = o->tee,
                .open_network = open_network,
                .ctx = p},
        .color = color_of(o),
        .glyphs = glyphs_of(p),
        .mouse = o->mouse};
    return console_run(&options);
}

/* Without a terminal, on one that cannot move its cursor, or where a person wants lines to be read
 * out. */
static bool can_show_screen(void)
{
    const char *term = getenv("TERM");
    const char *spoken = getenv("SMTPSCOPE_A11Y");
    return isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) &&
           (term == NULL || strcmp(term, "dumb") != 0) &&
           (spoken == NULL || strcmp(spoken, "1") != 0);
}

static int run_offer(const struct program *p)
{
    const char *scenario = p->options.offered != NULL ? p->options.offered : FIRST_LESSON;
    const struct offer_options options = {.options = &p->options,
                                          .scenario = scenario,
                                          .data_dir = p->data_dir,
                                          .pace = pace_of(false),
                                          .ascii = p->language.ascii || p->options.ascii};
    return offer_run(&options);
}

static int run(struct program *p)
{
    struct error error = {.text = ""};
    if (options_parse(&p->options, p->argc, p->argv, &error) != ST_OK) {
        return usage_error(p, &error);
    }
    if (options_find_lang(p->argc, p->argv) != NULL && !language_known(&p->language)) {
        complain(p->language.ascii,
                 _("There are no texts in the language \"%s\"; English is always there (--lang en)."),
                 p->language.code);
        return EXIT_CODE_USAGE;
    }
    if (p->options.mode == OPTIONS_EXPLAIN) {
        return run_explain(p);
    }
    if (p->options.mode != OPTIONS_RUN) {
        return print_and_end(p);
    }
    if (p->options.stage != 0) {
        complain(p->language.ascii, _("--stage needs --explain."));
        return EXIT_CODE_USAGE;
    }
    if (options_check_practice(&p->options, &error) != ST_OK) {
        return usage_error(p, &error);
    }
    if (p->options.practice) {
        return run_offer(p);
    }
    bool headless = options_headless(&p->options) || !can_show_screen();
    bool nothing_to_do = p->options.target == NULL && p->options.host == NULL && !p->options.demo;
    if (headless && nothing_to_do) {
        options_usage(stderr);
        complain(p->language.ascii,
                 _("Without a screen a target is needed. See smtpscope --help."));
        return EXIT_CODE_USAGE;
    }
    return headless ? run_headless(p) : run_console(p);
}

int main(int argc, char **argv)
{
    struct program program;
    secret_harden_process();
    fill_standard_descriptors();
    /* A reader that went and a file that is too big are told by write. */
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    memset(&program, 0, sizeof(program));
    program.argc = argc > 0 ? argc - 1 : 0;
    program.argv = argv + (argc > 0 ? 1 : 0);
    options_init(&program.options);
    language_init(&program.language, options_find_lang(program.argc, program.argv));
    program.data_dir = program.language.data_dir[0] != '\0' ? program.language.data_dir : NULL;
    int code = run(&program);
    options_free(&program.options);
    free(program.scenario_words);
    return code;
}
