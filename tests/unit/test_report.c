#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "escape.h"
#include "report_record.h"

static const enum report_format formats[] = {REPORT_TEXT, REPORT_MARKDOWN, REPORT_JSON};

static void build(const struct report_run *run, enum report_format format, bool ascii,
                  struct buf *out)
{
    buf_init(out, REPORT_MAX);
    assert_int_equal(report_run_build(run, format, ascii, out), ST_OK);
}

static void assert_has(const struct buf *out, const char *expected)
{
    if (strstr(buf_str(out), expected) == NULL) {
        fail_msg("not in the report: %s\n%s", expected, buf_str(out));
    }
}

static void text_is_as_it_was_agreed_on(void **state)
{
    (void)state;
    struct report_run run;
    struct buf out;
    report_run_init(&run, "mx1.example.com");
    build(&run, REPORT_TEXT, true, &out);
    assert_memory_equal(out.p, "smtpscope " SMTPSCOPE_VERSION "\n\nTarget         Example.com\n",
                        40);
    assert_has(&out, "\nServer         mx1.example.com [192.0.2.10], port 25, preference 10\n");
    assert_has(&out, "\nSeen as        198.51.100.7 (mx1.example.com)\n");
    assert_has(&out, "\nGreeted as     probe.example.net\n");
    assert_has(&out, "\nEncryption     TLSv1.3, TLS_AES_256_GCM_SHA384, certificate not verified\n"
                     "               (self-signed)\n");
    assert_has(&out,
               "\nStarted        2026-11-23T12:09:44Z\nTook           1234.567 s\n"
               "Result         FAIL\n"
               "Steps          3 ok, 2 warnings, 1 failed, 2 left out, 2 waiting for consent\n");
    assert_has(&out, "\n[+] DNS MX               OK              12 ms\n"
                     "    example.com has mail hosts: mx1.example.com\n");
    assert_has(&out, "\n[!] Banner               WARN         11.000 s\n");
    assert_has(&out, "\n[-] Certificate          SKIP\n    because \"STARTTLS\" did not succeed\n");
    assert_has(&out,
               "\n1. FAIL: The server offers STARTTLS but cannot start it now: 454 not now\n"
               "What it means  It cannot use its key or certificate at the moment, so mail\n"
               "               travels in clear or not at all.\n"
               "What to do     On the mail server:\n"
               "               1. Read the mail log; it names the file. Check that certificate\n");
    assert_has(
        &out, "\n               On the sending side:\n               3. Try again in some minutes");
    assert_has(&out, "\nEvidence       transcript lines 6, 7\n"
                     "       6   0.490 C: STARTTLS\n"
                     "       7 ! 0.512 S: 454 4.7.0 not now\n"
                     "Reference      RFC 3207, section 4\n"
                     "               https://www.rfc-editor.org/rfc/rfc3207#section-4\n"
                     "Finding        tls.starttls.refused_temp (certain)\n");
    assert_has(&out, "\n     3   0.471 C: EHLO probe.example.net\n     4   0.489 S: 250 a\\x00b\n"
                     "     5   0.489 S: 250 \\u{20AC} 5 [...]\n");
    assert_has(&out,
               "\n     8   0.561 == TLSv1.3\n     9  1234.567 C~ RSET\n    10 !1234.567 S~\n");
    buf_free(&out);
    report_run_free(&run);
}

/* Findings are told from the worst to the mildest; good news is only named beside its step. */
static void findings_stand_in_order(void **state)
{
    (void)state;
    struct report_run run;
    struct buf out;
    report_run_init(&run, "mx1.example.com");
    for (size_t i = 0; i < 2; i++) {
        build(&run, formats[i], true, &out);
        const char *from = strstr(out.p, i == 0 ? "FINDINGS" : "## Findings");
        assert_non_null(from);
        static const char *const order[] = {"1. FAIL: ", "2. WARN: ", "3. UNSURE: ", "4. NOTE: "};
        for (size_t k = 0; k < ARRAY_LEN(order); k++) {
            from = strstr(from, order[k]);
            assert_non_null(from);
        }
        assert_null(strstr(from, "dns.mx.found"));
        buf_free(&out);
    }
    report_run_free(&run);
}

static void prose_is_wrapped(void **state)
{
    (void)state;
    struct report_run run;
    struct buf out;
    report_run_init(&run, "mx1.example.com");
    for (size_t i = 0; i < finding_kind_count; i++) {
        add_finding(&run.record, CHECK_SEND, finding_kinds[i].id);
    }
    build(&run, REPORT_TEXT, true, &out);
    const char *end = strstr(out.p, "\nTRANSCRIPT\n");
    assert_non_null(end);
    for (const char *p = out.p; p < end; p += strcspn(p, "\n") + 1) {
        size_t len = strcspn(p, "\n");
        size_t word = len > 0 && p[len - 1] != ' ' ? strcspn(p + strspn(p, " "), " \n") : 0;
        bool evidence = len > 8 && p[7] != ' ' && p[6] == ' ' && p[0] == ' ';
        if (len > 78 && word < 60 && !evidence) {
            fail_msg("%zu columns: %.*s", len, (int)len, p);
        }
        if (!evidence && len > 0 && p[len - 1] == ' ') {
            fail_msg("blank at the end: %.*s", (int)len, p);
        }
    }
    buf_free(&out);
    report_run_free(&run);
}

/* Whatever a server sends: nothing that a terminal acts on, and in ASCII mode nothing but ASCII. */
static void hostile_bytes_are_never_raw(void **state)
{
    (void)state;
    struct report_run run;
    struct buf out;
    report_run_init(&run, HOSTILE);
    must(str_set(&run.plan.input, HOSTILE) == ST_OK);
    for (size_t i = 0; i < ARRAY_LEN(formats); i++) {
        for (int ascii = 0; ascii < 2; ascii++) {
            build(&run, formats[i], ascii != 0, &out);
            for (size_t at = 0; at < out.len;) {
                struct escape_cell cell;
                if (out.p[at] == '\n') {
                    at++;
                    continue;
                }
                escape_next(out.p + at, out.len - at, ascii != 0 ? ESCAPE_ASCII : 0, &cell);
                if (cell.escaped) {
                    fail_msg("format %d: raw bytes where %s should be", (int)formats[i], cell.text);
                }
                at += cell.consumed;
            }
            buf_free(&out);
        }
    }
    report_run_free(&run);
}

static void markdown_cannot_be_broken_out_of(void **state)
{
    (void)state;
    struct report_run run;
    struct buf out;
    report_run_init(&run, HOSTILE);
    build(&run, REPORT_MARKDOWN, true, &out);
    size_t fences = 0;
    bool inside = false;
    for (const char *p = out.p; *p != '\0';) {
        size_t len = strcspn(p, "\n");
        size_t ticks = strspn(p, "`");
        if (ticks >= 3) {
            /* The hostile text holds a run of 7. */
            inside = !inside;
            fences++;
            assert_true(!inside || ticks >= 3);
        } else if (!inside) {
            for (size_t i = 0; i < len; i++) {
                bool escaped = i > 0 && p[i - 1] == '\\';
                bool html = p[i] == '<' && strncmp(p + i, "<br>", 4) != 0;
                if (html && !escaped) {
                    fail_msg("HTML: %.*s", (int)len, p);
                }
            }
        }
        if (!inside && p[0] == '|') {
            size_t pipes = 0;
            for (size_t i = 0; i < len; i++) {
                pipes += p[i] == '|' && (i == 0 || p[i - 1] != '\\') ? 1 : 0;
            }
            if (pipes != 3 && pipes != 5) {
                fail_msg("a row with %zu cell borders: %.*s", pipes, (int)len, p);
            }
        }
        p += len + (p[len] == '\n' ? 1 : 0);
    }
    assert_false(inside);
    assert_true(fences % 2 == 0);
    assert_has(&out, "\n````````text\n");
    assert_has(&out, "\n````````\n");
    assert_has(&out, "[RFC 3207, section 4](https://www.rfc-editor.org/rfc/rfc3207#section-4)");
    assert_has(&out, "grep smtpd_tls, then");
    buf_free(&out);
    report_run_free(&run);
}

static void demo_is_marked_everywhere(void **state)
{
    (void)state;
    struct report_run run;
    struct buf out;
    static const char *const marks[] = {"\nDEMO  ", "**DEMO.**", "\"demo\":true"};
    report_run_init(&run, "mx1.example.com");
    for (int demo = 0; demo < 2; demo++) {
        run.record.demo = demo != 0;
        for (size_t i = 0; i < ARRAY_LEN(formats); i++) {
            build(&run, formats[i], true, &out);
            assert_int_equal(strstr(out.p, marks[i]) != NULL, demo);
            buf_free(&out);
        }
    }
    report_run_free(&run);
}

static void unfinished_runs_can_be_saved(void **state)
{
    (void)state;
    struct report_run run;
    struct buf out;
    report_run_init(&run, NULL);
    for (size_t i = 0; i < ARRAY_LEN(formats); i++) {
        build(&run, formats[i], false, &out);
        buf_free(&out);
        struct report_options o = {formats[i], false, NULL, run.guide, run.guide, NULL};
        buf_init(&out, REPORT_MAX);
        assert_int_equal(report_build(&run.record, &o, &out), ST_OK);
        buf_free(&out);
        o.guide = NULL;
        o.english_guide = NULL;
        buf_init(&out, REPORT_MAX);
        assert_int_equal(report_build(&run.record, &o, &out), ST_INVALID);
        buf_free(&out);
    }
    build(&run, REPORT_TEXT, false, &out);
    assert_has(&out, "The run was still going on when this was saved.");
    assert_has(&out, "No problem was found in the steps that were run.");
    buf_free(&out);
    run.record.cancelled = true;
    build(&run, REPORT_MARKDOWN, false, &out);
    assert_has(&out, "The run was stopped before its end.");
    buf_free(&out);
    report_run_free(&run);
}

/* A ceiling at any place is a status, not half a report that looks whole. */
static void every_ceiling_is_told(void **state)
{
    (void)state;
    struct report_run run;
    struct buf out;
    report_run_init(&run, "mx1.example.com");
    for (size_t i = 0; i < ARRAY_LEN(formats); i++) {
        build(&run, formats[i], true, &out);
        size_t whole = out.len;
        buf_free(&out);
        for (size_t max = 0; max < whole; max += max < 64 || max + 64 > whole ? 1 : 97) {
            buf_init(&out, max);
            assert_int_equal(report_run_build(&run, formats[i], true, &out), ST_LIMIT);
            buf_free(&out);
        }
        buf_init(&out, whole);
        assert_int_equal(report_run_build(&run, formats[i], true, &out), ST_OK);
        buf_free(&out);
    }
    report_run_free(&run);
}

static void assert_line(const struct line *line, bool ascii, const char *expected)
{
    struct buf out;
    buf_init(&out, 4096);
    assert_int_equal(report_line(line, ascii, &out), ST_OK);
    assert_string_equal(buf_str(&out), expected);
    buf_free(&out);
}

static void lines_are_shown_alike(void **state)
{
    (void)state;
    struct line line = {.number = 1, .t_us = 471999, .dir = DIR_CLIENT, .text = "EHLO x", .len = 6};
    assert_line(&line, false, "  0.471 C: EHLO x");
    line.tls = true;
    assert_line(&line, false, "  0.471 C~ EHLO x");
    line.dir = DIR_SERVER;
    line.flags = LINE_PROBLEM | LINE_CUT;
    assert_line(&line, false, "! 0.471 S~ EHLO x [...]");
    line.flags = 0;
    line.dir = DIR_NOTE;
    line.t_us = 12345678;
    assert_line(&line, false, " 12.345 -- EHLO x");
    line.dir = DIR_TLS;
    line.t_us = -5;
    line.text = "\xc3\xa9\x1b";
    line.len = 3;
    assert_line(&line, false, "  0.000 == \xc3\xa9\\x1b");
    assert_line(&line, true, "  0.000 == \\u{00E9}\\x1b");
    line.len = 0;
    assert_line(&line, true, "  0.000 ==");
}

static void file_names_are_tame(void **state)
{
    (void)state;
    struct report_run run;
    char name[256];
    report_run_init(&run, NULL);
    report_file_name(&run.record, &run.plan, REPORT_TEXT, name, sizeof(name));
    assert_string_equal(name, "smtpscope-example.com-25-19700101T000000Z.txt");
    report_file_name(&run.record, NULL, REPORT_JSON, name, sizeof(name));
    assert_string_equal(name, "smtpscope-unknown-0-19700101T000000Z.json");
    report_run_free(&run);

    report_run_init(&run, "../..//-MX_1.Example.COM/\n\xc3\xa9.");
    report_file_name(&run.record, &run.plan, REPORT_MARKDOWN, name, sizeof(name));
    assert_string_equal(name, "smtpscope-mx-1.example.com-25-20261123T120944Z.md");
    must(str_set(&run.record.paths[1]->mx, NULL) == ST_OK);
    must(net_address_parse("2001:db8::1", &run.record.paths[1]->address));
    run.record.paths[1]->address.port = 465;
    report_file_name(&run.record, &run.plan, REPORT_TEXT, name, sizeof(name));
    assert_string_equal(name, "smtpscope-2001-db8-1-465-20261123T120944Z.txt");
    char longest[600];
    memset(longest, 'a', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    must(str_set(&run.record.paths[1]->mx, longest) == ST_OK);
    report_file_name(&run.record, &run.plan, REPORT_TEXT, name, sizeof(name));
    assert_true(strlen(name) < 160);
    report_run_free(&run);
}

static void formats_follow_the_ending(void **state)
{
    (void)state;
    enum report_format format = REPORT_JSON;
    assert_true(report_format_of("a/b.txt", &format));
    assert_int_equal(format, REPORT_TEXT);
    assert_true(report_format_of("b.MD", &format));
    assert_int_equal(format, REPORT_MARKDOWN);
    assert_true(report_format_of("x.tar.json", &format));
    assert_int_equal(format, REPORT_JSON);
    assert_false(report_format_of("x", &format));
    assert_false(report_format_of("dir.json/x", &format));
    assert_false(report_format_of("x.", &format));
    assert_false(report_format_of("", &format));
    for (size_t i = 0; i < ARRAY_LEN(formats); i++) {
        char name[32];
        snprintf(name, sizeof(name), "a.%s", report_extension(formats[i]));
        assert_true(report_format_of(name, &format));
        assert_int_equal(format, formats[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_as_it_was_agreed_on),
        cmocka_unit_test(findings_stand_in_order),
        cmocka_unit_test(prose_is_wrapped),
        cmocka_unit_test(hostile_bytes_are_never_raw),
        cmocka_unit_test(markdown_cannot_be_broken_out_of),
        cmocka_unit_test(demo_is_marked_everywhere),
        cmocka_unit_test(unfinished_runs_can_be_saved),
        cmocka_unit_test(every_ceiling_is_told),
        cmocka_unit_test(lines_are_shown_alike),
        cmocka_unit_test(file_names_are_tame),
        cmocka_unit_test(formats_follow_the_ending),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
