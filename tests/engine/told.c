#include "told.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void take_options(struct runner *r, struct options *o, char **storage, const char *name)
{
    struct error error = {.text = ""};
    options_init(o);
    o->target = r->info.target;
    if (options_parse_text(o, r->info.options, storage, &error) != ST_OK ||
        options_finish(o, &error) != ST_OK || options_password(o, &error) != ST_OK) {
        fail_msg("%s: %s", name, error.text);
    }
    plan_free(&r->plan);
    assert_int_equal(plan_copy(&r->plan, &o->plan), ST_OK);
    assert_int_equal(plan_validate(&r->plan, &error), ST_OK);
}

void told_open(struct runner *r, struct options *o, char **storage, const char *name)
{
    runner_open(r, name, PRACTICE_INSTANT);
    take_options(r, o, storage, name);
}

void told_open_whole(struct runner *r, struct options *o, char **storage, const char *name,
                     const char *text)
{
    runner_open_whole(r, text, PRACTICE_INSTANT);
    take_options(r, o, storage, name);
}

void told_close(struct runner *r, struct options *o, char *storage)
{
    runner_close(r);
    options_free(o);
    free(storage);
}
