#include "canary.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base64.h"
#include "guide.h"
#include "report.h"

void canary_add(struct canary_forms *f, const char *p, size_t len)
{
    assert_true(f->count < CANARY_FORMS_MAX && len <= CANARY_FORM_MAX);
    memcpy(f->list[f->count].text, p, len);
    f->list[f->count++].len = len;
}

void canary_add_base64(struct canary_forms *f, const char *p, size_t len, size_t from, size_t tail)
{
    struct buf b;
    buf_init(&b, CANARY_FORM_MAX);
    assert_int_equal(base64_encode(&b, p, len), ST_OK);
    canary_add(f, b.p + from, b.len - from - tail);
    buf_free(&b);
}

/* In hex and percent-encoded. */
void canary_add_written_out(struct canary_forms *f)
{
    const size_t len = strlen(CANARY);
    char text[CANARY_FORM_MAX];
    for (size_t i = 0; i < len; i++) {
        snprintf(text + 2 * i, 3, "%02x", (unsigned char)CANARY[i]);
    }
    canary_add(f, text, 2 * len);
    for (size_t i = 0; i < len; i++) {
        snprintf(text + 2 * i, 3, "%02X", (unsigned char)CANARY[i]);
    }
    canary_add(f, text, 2 * len);
    canary_add(f, "Kanarienvogel-8431%2Fx", strlen("Kanarienvogel-8431%2Fx"));
    canary_add(f, "Kanarienvogel-8431%2fx", strlen("Kanarienvogel-8431%2fx"));
}

static void make_forms(struct canary_forms *f)
{
    static const char plain[] = "\0" CANARY_USER "\0" CANARY;
    static const char plain2[] = CANARY_USER "\0" CANARY_USER "\0" CANARY;
    static const char bearer[] = "user=" CANARY_USER "\1auth=Bearer " CANARY "\1\1";
    const size_t len = strlen(CANARY);
    char text[CANARY_FORM_MAX];
    f->count = 0;
    canary_add(f, CANARY, len);
    /* Whatever stands before it, in the middle of base64. What neighbours mix in is left away. */
    for (size_t offset = 0; offset < 3; offset++) {
        char shifted[CANARY_FORM_MAX] = "??";
        memcpy(shifted + offset, CANARY, len);
        canary_add_base64(f, shifted, offset + len, offset == 0 ? 0 : 4, 4);
    }
    canary_add_base64(f, plain, sizeof(plain) - 1, 0, 0);
    canary_add_base64(f, plain2, sizeof(plain2) - 1, 0, 0);
    canary_add_base64(f, bearer, sizeof(bearer) - 1, 0, 0);
    canary_add_written_out(f);
    canary_add(f, "Kanarienvogel-8431\\/x", strlen("Kanarienvogel-8431\\/x")); /* JSON */
    for (size_t i = 0; i < len; i++) {
        text[i] = CANARY[len - 1 - i];
    }
    canary_add(f, text, len);
    for (size_t i = 0; i < len; i++) {
        text[2 * i] = CANARY[i];
        text[2 * i + 1] = '\0';
    }
    canary_add(f, text, 2 * len - 1);
}

void canary_assert_clean(const char *what, const char *p, size_t len)
{
    struct canary_forms forms;
    make_forms(&forms);
    for (size_t i = 0; i < forms.count; i++) {
        if (len > 0 && memmem(p, len, forms.list[i].text, forms.list[i].len) != NULL) {
            fail_msg("form %zu of the password is in %s:\n%s", i, what, p);
        }
    }
}

void canary_assert_none(const struct runner *r)
{
    struct guide *guide;
    struct error error = {.text = ""};
    assert_int_equal(guide_load(&guide, NULL, "en", &error), ST_OK);
    assert_true(r->text.len > 0);
    canary_assert_clean("the events", buf_str(&r->text), r->text.len);
    for (int format = REPORT_TEXT; format <= REPORT_JSON; format++) {
        struct buf out;
        const struct report_options options = {.format = (enum report_format)format,
                                               .plan = &r->plan,
                                               .guide = guide,
                                               .english_guide = guide};
        buf_init(&out, REPORT_MAX);
        assert_int_equal(report_build(&r->record, &options, &out), ST_OK);
        canary_assert_clean("a report", buf_str(&out), out.len);
        buf_free(&out);
    }
    guide_free(guide);
    struct buf tee;
    struct line line;
    buf_init(&tee, REPORT_MAX);
    for (uint32_t n = lines_first(r->record.lines); lines_get(r->record.lines, n, &line); n++) {
        assert_int_equal(report_line(&line, false, &tee), ST_OK);
        assert_int_equal(buf_add_char(&tee, '\n'), ST_OK);
    }
    canary_assert_clean("the --tee file", buf_str(&tee), tee.len);
    buf_free(&tee);
}
