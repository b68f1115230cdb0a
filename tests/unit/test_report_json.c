#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base64.h"
#include "report_record.h"

static json_t *parse(const struct report_run *run)
{
    struct buf out;
    json_error_t error;
    buf_init(&out, REPORT_MAX);
    assert_int_equal(report_run_build(run, REPORT_JSON, false, &out), ST_OK);
    json_t *root = json_loadb(out.p, out.len, JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES, &error);
    if (root == NULL) {
        fail_msg("line %d: %s", error.line, error.text);
    }
    buf_free(&out);
    return root;
}

static const char *string_at(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    if (text == NULL) {
        fail_msg("%s is no string", key);
    }
    return text;
}

static void fields_are_right(void **state)
{
    (void)state;
    struct report_run run;
    report_run_init(&run, "mx1.example.com");
    json_t *root = parse(&run);
    assert_string_equal(string_at(root, "schema"), "smtpscope.report/1");
    assert_string_equal(string_at(root, "started"), "2026-11-23T12:09:44Z");
    assert_string_equal(string_at(root, "verdict"), "fail");
    assert_string_equal(string_at(json_object_get(root, "tool"), "version"), SMTPSCOPE_VERSION);
    const json_t *target = json_object_get(root, "target");
    assert_string_equal(string_at(target, "input"), "Example.com");
    assert_true(json_is_null(json_object_get(target, "host")));
    assert_int_equal(json_integer_value(json_array_get(json_object_get(target, "ports"), 0)), 25);

    const json_t *checks_array = json_object_get(root, "checks");
    assert_int_equal(json_array_size(checks_array), CHECK_COUNT);
    const json_t *own = json_array_get(checks_array, CHECK_SELF_ADDRESS);
    assert_string_equal(string_at(own, "verdict"), "inconclusive");
    assert_string_equal(string_at(own, "side"), "ours");
    const json_t *starttls = json_array_get(checks_array, CHECK_STARTTLS);
    assert_true(json_is_null(json_object_get(starttls, "side")));
    assert_int_equal(json_integer_value(json_object_get(starttls, "ms")), 22);
    const json_t *finding = json_array_get(json_object_get(starttls, "findings"), 0);
    assert_string_equal(string_at(finding, "id"), "tls.starttls.refused_temp");
    assert_string_equal(string_at(finding, "class"), "system-error");
    assert_string_equal(string_at(finding, "who"), "server");
    assert_string_equal(string_at(finding, "title"),
                        "The server offers STARTTLS but cannot start it now: 454 not now");
    assert_int_equal(json_integer_value(json_array_get(json_object_get(finding, "evidence"), 1)),
                     7);
    assert_string_equal(string_at(json_object_get(finding, "args"), "code"), "454");
    assert_string_equal(string_at(json_array_get(json_object_get(finding, "do"), 0), "who"),
                        "server");
    const json_t *certificate = json_array_get(checks_array, CHECK_CERTIFICATE);
    assert_string_equal(string_at(certificate, "because"), "tls.starttls");
    assert_true(json_is_null(json_object_get(certificate, "ms")));

    const json_t *path = json_array_get(json_object_get(root, "paths"), 0);
    assert_int_equal(json_array_size(json_object_get(root, "paths")), 1);
    assert_int_equal(json_integer_value(json_object_get(path, "id")), 1);
    assert_string_equal(string_at(path, "address"), "192.0.2.10");
    assert_int_equal(json_array_size(json_object_get(path, "capabilities")), 3);
    const json_t *timings = json_object_get(path, "timings_ms");
    assert_int_equal(json_object_size(timings), 2);
    assert_true(json_number_value(json_object_get(timings, "connect")) == 31.345);
    const json_t *tls = json_object_get(path, "tls");
    assert_string_equal(string_at(tls, "reason"), "self-signed");
    assert_string_equal(string_at(tls, "not_after"), "2027-01-01T00:00:00Z");
    const json_t *answer = json_array_get(json_object_get(root, "dns"), DNS_ANSWER);
    assert_string_equal(string_at(answer, "check"), "dns.mx");
    assert_string_equal(string_at(answer, "type"), "MX");
    assert_string_equal(json_string_value(json_array_get(json_object_get(answer, "records"), 0)),
                        "10 mx1.example.com");
    const json_t *dials = json_object_get(root, "connections");
    assert_string_equal(string_at(json_array_get(dials, ST_REFUSED), "result"), "refused");
    assert_string_equal(string_at(json_array_get(dials, ST_NOMEM), "result"), "no-route");
    assert_string_equal(string_at(json_array_get(dials, ST_EOF), "end"), "closed");
    assert_true(json_is_null(json_object_get(json_array_get(dials, ST_OK), "end")));
    const json_t *problem = json_array_get(json_object_get(root, "transcript"), 6);
    assert_string_equal(string_at(problem, "check"), "tls.starttls");
    assert_string_equal(
        json_string_value(json_array_get(json_object_get(problem, "flags"), 0)), "problem");
    assert_null(json_object_get(json_object_get(root, "options"), "password"));
    json_decref(root);
    report_run_free(&run);
}

/* Every byte of every line comes back: from the text where it is UTF-8, else from base64. */
static void lines_come_back_exactly(void **state)
{
    (void)state;
    struct report_run run;
    report_run_init(&run, "mx1.example.com");
    char all[256];
    for (size_t i = 0; i < sizeof(all); i++) {
        all[i] = (char)i;
    }
    add_line(&run.record, 11, 1234567892, CHECK_NONE, DIR_SERVER, true, 0, all, 256);
    add_line(&run.record, 12, 1234567893, CHECK_NONE, DIR_SERVER, true, 0, all, 128);
    add_line(&run.record, 13, 1234567894, CHECK_NONE, DIR_NOTE, true, 0,
             "\xe2\x80\xae\xc2\x9b\xf0\x9f\x98\x80", 9);
    json_t *root = parse(&run);
    const json_t *transcript = json_object_get(root, "transcript");
    assert_int_equal(json_array_size(transcript), 13);
    for (uint32_t n = 1; n <= 13; n++) {
        const json_t *o = json_array_get(transcript, n - 1);
        struct line line;
        assert_true(lines_get(run.record.lines, n, &line));
        assert_int_equal(json_integer_value(json_object_get(o, "n")), n);
        const json_t *text = json_object_get(o, "text");
        const char *base64 = json_string_value(json_object_get(o, "base64"));
        if (base64 != NULL) {
            struct buf raw;
            buf_init(&raw, 4096);
            assert_int_equal(base64_decode(&raw, base64, strlen(base64)), ST_OK);
            assert_int_equal(raw.len, line.len);
            assert_memory_equal(raw.p, line.text, line.len);
            buf_free(&raw);
        } else {
            assert_int_equal(json_string_length(text), line.len);
            assert_memory_equal(json_string_value(text), line.text, line.len);
        }
    }
    assert_non_null(json_object_get(json_array_get(transcript, 1), "base64"));
    assert_null(json_object_get(json_array_get(transcript, 3), "base64"));
    assert_true(json_is_true(json_object_get(json_array_get(transcript, 4), "cut")));
    assert_non_null(json_object_get(json_array_get(transcript, 10), "base64"));
    assert_null(json_object_get(json_array_get(transcript, 11), "base64"));
    assert_string_equal(string_at(json_array_get(transcript, 7), "dir"), "tls");
    assert_true(json_number_value(json_object_get(json_array_get(transcript, 1), "t_ms")) == 463.5);
    json_decref(root);
    report_run_free(&run);
}

/* What follows `before`, the title and `after`. */
static const char *find_row(const char *text, const char *before, const char *title,
                            const char *after)
{
    char begin[64];
    snprintf(begin, sizeof(begin), "%s%s%s", before, title, after);
    const char *row = strstr(text, begin);
    if (row == NULL) {
        fail_msg("no row for %s", title);
        return "";
    }
    return row + strlen(begin);
}

/* Text and Markdown name the same state for each step as JSON, and the same counts. */
static void formats_agree(void **state)
{
    (void)state;
    static const struct {
        const char *name, *word;
    } words[] = {
        {"ok", "OK"},        {"note", "NOTE"},  {"warn", "WARN"},           {"fail", "FAIL"},
        {"skipped", "SKIP"}, {"ask", "ASK"},    {"inconclusive", "UNSURE"}, {"stopped", "STOP"},
        {"todo", "todo"},    {"running", "RUN"}};
    struct report_run run;
    struct buf text, markdown;
    report_run_init(&run, "mx1.example.com");
    buf_init(&text, REPORT_MAX);
    buf_init(&markdown, REPORT_MAX);
    assert_int_equal(report_run_build(&run, REPORT_TEXT, true, &text), ST_OK);
    assert_int_equal(report_run_build(&run, REPORT_MARKDOWN, true, &markdown), ST_OK);
    json_t *root = parse(&run);
    unsigned counts[ARRAY_LEN(words)] = {0};
    for (int i = 0; i < CHECK_COUNT; i++) {
        const json_t *check = json_array_get(json_object_get(root, "checks"), (size_t)i);
        assert_string_equal(string_at(check, "id"), checks[i].key);
        size_t at = 0;
        while (at < ARRAY_LEN(words) && strcmp(words[at].name, string_at(check, "verdict")) != 0) {
            at++;
        }
        assert_true(at < ARRAY_LEN(words));
        counts[at]++;
        const char *word = words[at].word;
        const char *row = find_row(text.p, "] ", checks[i].title, " ");
        assert_memory_equal(row + strspn(row, " "), word, strlen(word));
        row = find_row(markdown.p, "\n| ", checks[i].title, " | ");
        assert_memory_equal(row, word, strlen(word));
    }
    char expected[128];
    snprintf(expected, sizeof(expected),
             "%u ok, %u warnings, %u failed, %u left out, %u waiting for consent",
             counts[0] + counts[1], counts[2] + counts[6], counts[3], counts[4] + counts[7],
             counts[5]);
    assert_non_null(strstr(text.p, expected));
    assert_non_null(strstr(markdown.p, expected));
    json_decref(root);
    buf_free(&text);
    buf_free(&markdown);
    report_run_free(&run);
}

static const char *verdict_at(int i)
{
    return i <= VERDICT_FAIL ? verdict_name((enum verdict)i) : NULL;
}

static const char *check_at(int i)
{
    return i < CHECK_COUNT ? checks[i].key : NULL;
}

static const char *class_at(int i)
{
    return i < CLASS_NETWORK ? reply_class_name((enum reply_class)(i + 1)) : NULL;
}

static const char *reason_at(int i)
{
    return i < TLS_REASON_TIMEOUT ? tls_reason_name((enum tls_reason)(i + 1)) : NULL;
}

static const char *result_at(int i)
{
    return i <= DNS_OTHER_RCODE ? dns_result_name((enum dns_result)i) : NULL;
}

static const char *who_at(int i)
{
    return i <= WHO_TOOL ? who_name((enum who)i) : NULL;
}

static void compare_enum(const json_t *list, const char *(*name_at)(int i))
{
    size_t count = 0;
    for (int i = 0; name_at(i) != NULL; i++) {
        bool found = false;
        for (size_t k = 0; k < json_array_size(list); k++) {
            const char *text = json_string_value(json_array_get(list, k));
            found = found || (text != NULL && strcmp(text, name_at(i)) == 0);
        }
        if (!found) {
            fail_msg("the schema does not know %s", name_at(i));
        }
        count++;
    }
    for (size_t k = 0; k < json_array_size(list); k++) {
        count += json_is_null(json_array_get(list, k)) ? 1 : 0;
    }
    assert_int_equal(count, json_array_size(list));
}

static void schema_knows_our_words(void **state)
{
    (void)state;
    json_error_t error;
    json_t *schema = json_load_file(SCHEMA_FILE, 0, &error);
    if (schema == NULL) {
        fail_msg("line %d: %s", error.line, error.text);
    }
    const json_t *defs = json_object_get(schema, "$defs");
    compare_enum(json_object_get(json_object_get(defs, "verdict"), "enum"), verdict_at);
    compare_enum(json_object_get(json_object_get(defs, "check_id"), "enum"), check_at);
    compare_enum(json_object_get(json_object_get(defs, "who"), "enum"), who_at);
    const json_t *finding = json_object_get(json_object_get(defs, "finding"), "properties");
    compare_enum(json_object_get(json_object_get(finding, "class"), "enum"), class_at);
    const json_t *tls = json_object_get(json_object_get(defs, "tls"), "properties");
    compare_enum(json_object_get(json_object_get(tls, "reason"), "enum"), reason_at);
    const json_t *answer = json_object_get(json_object_get(defs, "answer"), "properties");
    compare_enum(json_object_get(json_object_get(answer, "result"), "enum"), result_at);
    const json_t *path = json_object_get(json_object_get(defs, "path"), "properties");
    const json_t *timings = json_object_get(json_object_get(path, "timings_ms"), "properties");
    assert_int_equal(json_object_size(timings), TIMING_COUNT);
    for (int i = 0; i < TIMING_COUNT; i++) {
        assert_non_null(json_object_get(timings, timing_key((enum timing)i)));
    }
    const json_t *list = json_object_get(json_object_get(schema, "properties"), "checks");
    assert_int_equal(json_integer_value(json_object_get(list, "minItems")), CHECK_COUNT);
    json_decref(schema);
}

static size_t allocations_left;

static void *short_malloc(size_t size)
{
    if (allocations_left == 0) {
        return NULL;
    }
    allocations_left--;
    return malloc(size);
}

/* Memory may run out at any allocation of the JSON library: a status, no crash, no leak. */
static void every_shortage_is_told(void **state)
{
    (void)state;
    struct report_run run;
    struct buf out;
    report_run_init(&run, "mx1.example.com");
    json_set_alloc_funcs(short_malloc, free);
    enum status st = ST_NOMEM;
    size_t n = 0;
    for (; st != ST_OK; n++) {
        allocations_left = n;
        buf_init(&out, REPORT_MAX);
        st = report_run_build(&run, REPORT_JSON, false, &out);
        assert_true(st == ST_OK || st == ST_NOMEM);
        buf_free(&out);
    }
    json_set_alloc_funcs(malloc, free);
    assert_true(n > 100);
    report_run_free(&run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_are_right),       cmocka_unit_test(lines_come_back_exactly),
        cmocka_unit_test(formats_agree),          cmocka_unit_test(schema_knows_our_words),
        cmocka_unit_test(every_shortage_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
