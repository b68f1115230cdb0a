/*
 * model_record: records made by hand for the tests of the transcript view.
 *
 * Threads: tests are single-threaded. Ownership: record_free.
 */
#ifndef SMTPSCOPE_TEST_MODEL_RECORD_H
#define SMTPSCOPE_TEST_MODEL_RECORD_H

#include "model_canvas.h"
#include "tview.h"

static inline void say_raw(struct record *r, enum check_id check, enum smtp_dir dir, bool tls,
                           unsigned flags, const char *text, size_t len)
{
    uint32_t number = lines_last(r->lines) + 1;
    struct line line = {.number = number,
                        .t_us = (int64_t)number * 1000,
                        .path = 1,
                        .check = (uint8_t)check,
                        .dir = (uint8_t)dir,
                        .flags = (uint8_t)flags,
                        .tls = tls,
                        .text = text,
                        .len = len};
    assert_int_equal(lines_add(r->lines, &line), ST_OK);
    if (check < CHECK_COUNT) {
        if (r->steps[check].first_line == 0) {
            r->steps[check].first_line = number;
        }
        r->steps[check].last_line = number;
    }
}

static inline void say(struct record *r, enum check_id check, enum smtp_dir dir, const char *text)
{
    say_raw(r, check, dir, false, 0, text, strlen(text));
}

static inline void judge(struct record *r, enum check_id check, enum verdict verdict, int ms)
{
    r->steps[check].verdict = verdict;
    r->steps[check].elapsed_us = (int64_t)ms * 1000;
}

/* A finding whose evidence is that line, which becomes a problem line. */
static inline void blame(struct record *r, uint32_t number)
{
    r->findings = realloc(r->findings, (r->finding_count + 1) * sizeof(*r->findings));
    assert_non_null(r->findings);
    struct record_finding *f = &r->findings[r->finding_count++];
    memset(f, 0, sizeof(*f));
    finding_init(&f->f, finding_kinds[0].id);
    finding_evidence(&f->f, number);
    lines_mark(r->lines, number, LINE_PROBLEM);
}

/* The session of the mock-up: five steps, the last one failed. */
static inline void record_sample(struct record *r)
{
    assert_int_equal(record_init(r, 1), ST_OK);
    say(r, CHECK_CONNECT, DIR_NOTE, "connecting 192.0.2.10:25 from 198.51.100.7");
    say(r, CHECK_CONNECT, DIR_NOTE, "connected");
    say(r, CHECK_BANNER, DIR_SERVER, "220 mx1.example.com ESMTP ready");
    say(r, CHECK_EHLO, DIR_CLIENT, "EHLO probe.example.net");
    say(r, CHECK_EHLO, DIR_SERVER, "250-mx1.example.com Hello [198.51.100.7]");
    say(r, CHECK_EHLO, DIR_SERVER, "250-SIZE 52428800");
    say(r, CHECK_EHLO, DIR_SERVER, "250-STARTTLS");
    say(r, CHECK_EHLO, DIR_SERVER, "250 8BITMIME");
    say(r, CHECK_STARTTLS, DIR_CLIENT, "STARTTLS");
    say(r, CHECK_STARTTLS, DIR_SERVER, "454 4.7.0 TLS not available due to local problem");
    judge(r, CHECK_CONNECT, VERDICT_OK, 31);
    judge(r, CHECK_BANNER, VERDICT_OK, 410);
    judge(r, CHECK_EHLO, VERDICT_OK, 18);
    judge(r, CHECK_STARTTLS, VERDICT_FAIL, 22);
    blame(r, 10);
}

static inline struct tview *view_new(void)
{
    struct tview *v = NULL;
    assert_int_equal(tview_new(&v), ST_OK);
    assert_non_null(v);
    return v;
}

/* Draws into a fresh canvas with a border of blanks, and checks that it stays blank. */
static inline struct canvas drawn(struct tview *v, const struct record *r, int w, int h)
{
    struct canvas c;
    assert_int_equal(canvas_init(&c, w + 2, h + 2, false), ST_OK);
    tview_draw(v, r, &c, (struct rect){1, 1, w, h}, true, 0);
    assert_canvas_sound(&c);
    for (int y = 0; y < c.h; y++) {
        for (int x = 0; x < c.w; x++) {
            if (x == 0 || y == 0 || x == c.w - 1 || y == c.h - 1) {
                assert_string_equal(c.cells[y * c.w + x].text, " ");
            }
        }
    }
    return c;
}

/* The pane as text must be this, line by line (a blank column at the left included). */
static inline void assert_pane(struct tview *v, const struct record *r, int w, int h,
                               const char *want)
{
    struct canvas c = drawn(v, r, w, h);
    char *text = canvas_text_of(&c);
    char *pane = strchr(text, '\n') + 1;
    pane[strlen(pane) - 1] = '\0';
    assert_string_equal(pane, want);
    free(text);
    canvas_free(&c);
}

#endif
