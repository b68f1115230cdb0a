#include "offer.h"

#include <stdlib.h>

#include "out.h"
#include "serve.h"
#include "text.h"

/* Where the scenario's own target leads, with the options that it assumes. */
static enum status wish_of_scenario(struct options *lesson, const struct scenario_info *info,
                                    char **words, struct serve_wish *wish, struct error *error)
{
    enum status st = options_parse_text(lesson, info->options, words, error);
    if (st == ST_OK) {
        st = plan_set_target(&lesson->plan, info->target, error);
    }
    if (st == ST_OK) {
        st = options_finish(lesson, error);
    }
    if (st == ST_OK) {
        wish->domain = lesson->plan.domain;
        wish->host = lesson->plan.host;
        wish->port = plan_port(&lesson->plan);
    }
    return st;
}

/* A host that was typed stands for itself, and not for the port of the scenario's target. */
static enum status wish_of_host(struct options *lesson, const char *host, struct serve_wish *wish,
                                struct error *error)
{
    enum status st = plan_set_host(&lesson->plan, host, error);
    if (st == ST_OK) {
        wish->host = lesson->plan.host;
        wish->port = lesson->plan.port;
    }
    return st;
}

int offer_run(const struct offer_options *o)
{
    const struct options *typed = o->options;
    /* Real clients look at real clocks: what is valid today is valid for them, too. */
    const struct practice_options practice = {.pace = o->pace, .wall_us = clock_wall_us()};
    struct serve_options serve = {.scenario = o->scenario,
                                  .wish = {.listen = typed->practice_at},
                                  .ca_path = typed->practice_ca,
                                  .quiet = typed->quiet,
                                  .ascii = o->ascii};
    struct scenario_info info;
    struct options lesson;
    struct error error = {.text = ""};
    char *words = NULL;
    enum status st = practice_open(o->data_dir, o->scenario, &practice, &serve.net, &info, &error);
    if (st != ST_OK) {
        complain(o->ascii, "%s", error.text);
        return (int)exit_code_of_input(error.code);
    }
    options_init(&lesson);
    st = typed->host != NULL ? wish_of_host(&lesson, typed->host, &serve.wish, &error)
                             : wish_of_scenario(&lesson, &info, &words, &serve.wish, &error);
    if (typed->port != 0) {
        serve.wish.port = (uint16_t)typed->port;
    }
    int code = EXIT_CODE_OK;
    if (st == ST_OK) {
        code = serve_run(&serve);
    } else {
        complain(o->ascii, "%s", error.text);
        code = (int)exit_code_of_input(error.code);
    }
    options_free(&lesson);
    free(words);
    scenario_info_free(&info);
    net_network_close(serve.net);
    return code;
}
