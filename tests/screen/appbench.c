#include "appbench.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "options.h"
#include "practice.h"

#define WAIT_MS 30000
#define EVENTS_A_TURN 4000
#define TEXT_MAX (4u << 20)

static char folder[64];

const char *bench_folder(void)
{
    snprintf(folder, sizeof(folder), "/tmp/smtpscope-bench-XXXXXX");
    assert_non_null(mkdtemp(folder));
    assert_int_equal(setenv("XDG_STATE_HOME", folder, 1), 0);
    return folder;
}

void bench_folder_remove(void)
{
    char path[200];
    snprintf(path, sizeof(path), "%s/smtpscope/lessons", folder);
    (void)unlink(path);
    snprintf(path, sizeof(path), "%s/smtpscope", folder);
    (void)rmdir(path);
    assert_int_equal(rmdir(folder), 0);
}

/* As the program does it, but with the consent and the password that the scenario's options give.
 */
static enum status open_network(void *ctx, const char *scenario, struct plan *plan,
                                struct network **out, struct error *error)
{
    (void)ctx;
    const struct practice_options instant = {.pace = PRACTICE_INSTANT};
    struct scenario_info info;
    struct options o;
    char *storage = NULL;
    if (scenario == NULL) {
        return error_set(error, ST_DENIED, 0, "a test opens no real network");
    }
    enum status st = practice_open(NULL, scenario, &instant, out, &info, error);
    if (st != ST_OK) {
        return st;
    }
    options_init(&o);
    o.target = info.target;
    if (options_parse_text(&o, info.options, &storage, error) != ST_OK ||
        options_finish(&o, error) != ST_OK || options_password(&o, error) != ST_OK) {
        fail_msg("%s: %s", scenario, error->text);
    }
    plan_free(plan);
    *plan = o.plan;
    plan_init(&o.plan);
    options_free(&o);
    free(storage);
    scenario_info_free(&info);
    return ST_OK;
}

void bench_start(struct bench *b, int w, int h, const char *scenario)
{
    struct error error = {.text = ""};
    memset(b, 0, sizeof(*b));
    plan_init(&b->plan);
    b->options = (struct app_options){.plan = &b->plan,
                                      .have_target = scenario != NULL,
                                      .scenario = scenario,
                                      .lang = "en",
                                      .ascii = true,
                                      .open_network = open_network};
    buf_init(&b->text, TEXT_MAX);
    assert_int_equal(canvas_init(&b->canvas, w, h, true), ST_OK);
    if (app_init(&b->app, &b->options, true, &error) != ST_OK) {
        fail_msg("%s", error.text);
    }
    (void)bench_draw(b);
    app_begin(&b->app);
    (void)bench_draw(b);
}

void bench_end(struct bench *b)
{
    app_free(&b->app);
    canvas_free(&b->canvas);
    plan_free(&b->plan);
    buf_free(&b->text);
}

void bench_size(struct bench *b, int w, int h)
{
    assert_int_equal(canvas_resize(&b->canvas, w, h), ST_OK);
    (void)bench_draw(b);
}

const char *bench_draw(struct bench *b)
{
    app_draw(&b->app, &b->canvas);
    buf_clear(&b->text);
    assert_int_equal(canvas_dump(&b->canvas, &b->text), ST_OK);
    b->draws++;
    if (b->app.demo && strstr(buf_str(&b->text), "DEMO") == NULL) {
        fail_msg("nothing says DEMO here:\n%s", buf_str(&b->text));
    }
    return buf_str(&b->text);
}

void bench_key(struct bench *b, uint32_t key)
{
    app_key(&b->app, key);
    (void)bench_draw(b);
}

void bench_keys(struct bench *b, const char *keys)
{
    for (; *keys != '\0'; keys++) {
        bench_key(b, (unsigned char)*keys);
    }
}

void bench_until_done(struct bench *b)
{
    while (!b->app.record.done) {
        struct pollfd fd = {.fd = app_events_fd(&b->app), .events = POLLIN};
        if (fd.fd < 0 || poll(&fd, 1, WAIT_MS) <= 0) {
            fail_msg("the run does not end:\n%s", bench_draw(b));
        }
        (void)app_events(&b->app, EVENTS_A_TURN);
    }
    (void)bench_draw(b);
}

bool bench_sees(const struct bench *b, const char *text)
{
    return strstr(buf_str(&b->text), text) != NULL;
}

static void add_squeezed(struct buf *out, const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (text[i] != ' ') {
            assert_int_equal(buf_add_char(out, text[i]), ST_OK);
        }
    }
}

bool bench_pane_sees(const struct bench *b, enum pane pane, const char *text)
{
    struct rect r = b->app.layout.body[pane];
    struct buf shown, wanted;
    buf_init(&shown, TEXT_MAX);
    buf_init(&wanted, TEXT_MAX);
    for (int y = r.y; y < r.y + r.h; y++) {
        for (int x = r.x; x < r.x + r.w; x++) {
            const char *cell = b->canvas.cells[(size_t)y * (size_t)b->canvas.w + (size_t)x].text;
            add_squeezed(&shown, cell, strlen(cell));
        }
    }
    add_squeezed(&wanted, text, strlen(text));
    bool found = strstr(buf_str(&shown), buf_str(&wanted)) != NULL;
    buf_free(&shown);
    buf_free(&wanted);
    return found;
}
