#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "practice.h"
#include "report_record.h"
#include "report_scenario.h"

#define SEED 20261123

static void write_run(const struct report_run *run, struct buf *out)
{
    buf_init(out, REPORT_MAX);
    assert_int_equal(report_run_build(run, REPORT_JSON, false, out), ST_OK);
}

/* A run with little in it, so that every byte of its file can be tried. */
static void write_small(struct buf *out)
{
    struct report_run run;
    report_run_init(&run, NULL);
    add_line(&run.record, 1, 0, CHECK_DNS_MX, DIR_NOTE, false, 0, "query MX example.com", 20);
    add_line(&run.record, 2, 1500, CHECK_BANNER, DIR_SERVER, false, LINE_ODD, "220 \xff", 5);
    struct finding *f = add_finding(&run.record, CHECK_DNS_MX, "dns.mx.null");
    finding_arg(f, "domain", "example.com");
    write_run(&run, out);
    report_run_free(&run);
}

/* What is written again is what was read, to the byte. */
static void reports_come_back_whole(void **state)
{
    (void)state;
    static const char *const names[] = {"mx1.example.com", HOSTILE};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        struct report_run run;
        struct run_file f;
        struct buf first, second;
        struct error error = {.text = ""};
        report_run_init(&run, names[i]);
        assert_int_equal(str_set(&run.plan.to, "bernd@example.net"), ST_OK);
        run.plan.family = 6;
        run.plan.tls = PLAN_TLS_STARTTLS;
        run.plan.relay_consent = true;
        run.plan.lmtp = true;
        run.plan.chunk = 4711;
        run.plan.sample = SAMPLE_EICAR;
        assert_int_equal(proxy_wish_parse("v2:[2001:db8::7]:4711", &run.plan.proxy, &error), ST_OK);
        assert_int_equal(str_set(&run.plan.xclient, "ADDR=192.0.2.1 NAME=a.example"), ST_OK);
        assert_int_equal(str_set(&run.plan.mail_params, "RET=HDRS ENVID=1"), ST_OK);
        assert_int_equal(str_set(&run.plan.rcpt_params, "NOTIFY=NEVER"), ST_OK);
        struct buf nothing;
        buf_init(&nothing, 1);
        plan_take_bytes(&run.plan.attach, &nothing);
        add_line(&run.record, 4000, INT64_C(2000000000), CHECK_BANNER, DIR_CLIENT, false, LINE_RAW, "a\\r\\n",
                 5);
        /* Times of a saved run begin at 0; only their lengths are in the file. */
        write_run(&run, &first);
        if (run_file_read(&f, "run.json", buf_str(&first), first.len, &error) != ST_OK) {
            fail_msg("%s", error.text);
        }
        assert_true(f.has_exchanges);
        assert_string_equal(f.version, SMTPSCOPE_VERSION);
        const struct report_options o = {.format = REPORT_JSON,
                                         .plan = &f.plan,
                                         .guide = run.guide,
                                         .english_guide = run.guide};
        buf_init(&second, REPORT_MAX);
        assert_int_equal(report_build(&f.record, &o, &second), ST_OK);
        if (strcmp(buf_str(&first), buf_str(&second)) != 0) {
            size_t at = 0;
            while (first.p[at] == second.p[at]) {
                at++;
            }
            fail_msg("written:  %.200s\nread back: %.200s", first.p + (at > 60 ? at - 60 : 0),
                     second.p + (at > 60 ? at - 60 : 0));
        }
        buf_free(&first);
        buf_free(&second);
        run_file_free(&f);
        report_run_free(&run);
    }
}

static void a_file_cut_at_any_byte_is_told(void **state)
{
    (void)state;
    struct buf whole;
    write_small(&whole);
    /* The line end at the end belongs to no value. */
    for (size_t n = 0; n + 1 < whole.len; n++) {
        struct run_file f;
        struct error error = {.text = ""};
        /* On the heap, exactly as long as it is: a byte read too far is found by the sanitizer. */
        char *exact = malloc(n > 0 ? n : 1);
        assert_non_null(exact);
        memcpy(exact, whole.p, n);
        assert_int_equal(run_file_read(&f, "run.json", exact, n, &error), ST_INVALID);
        assert_non_null(strstr(error.text, "run.json"));
        assert_true(strlen(error.text) > strlen("run.json") + 10);
        free(exact);
    }
    struct run_file f;
    struct error error;
    assert_int_equal(run_file_read(&f, "run.json", whole.p, whole.len, &error), ST_OK);
    assert_int_equal(f.record.finding_count, 1);
    run_file_free(&f);
    buf_free(&whole);
}

/* Reads the sample with one value exchanged. */
static enum status read_changed(const char *path, json_t *value, struct error *error)
{
    struct report_run run;
    struct buf text;
    struct run_file f;
    report_run_init(&run, "mx1.example.com");
    write_run(&run, &text);
    json_t *root = json_loadb(text.p, text.len, JSON_ALLOW_NUL, NULL);
    assert_non_null(root);
    json_t *o = root;
    char key[64];
    for (;;) {
        size_t n = strcspn(path, "/");
        assert_true(n < sizeof(key));
        memcpy(key, path, n);
        key[n] = '\0';
        if (path[n] == '\0') {
            break;
        }
        o = json_is_array(o) ? json_array_get(o, strtoul(key, NULL, 10)) : json_object_get(o, key);
        assert_non_null(o);
        path += n + 1;
    }
    assert_int_equal(value != NULL ? json_object_set_new(o, key, value) : json_object_del(o, key),
                     0);
    char *changed = json_dumps(root, 0);
    assert_non_null(changed);
    error->text[0] = '\0';
    enum status st = run_file_read(&f, "run.json", changed, strlen(changed), error);
    if (st == ST_OK) {
        run_file_free(&f);
    }
    free(changed);
    json_decref(root);
    buf_free(&text);
    report_run_free(&run);
    return st;
}

static void values_of_the_wrong_kind_are_named(void **state)
{
    (void)state;
    struct {
        const char *path, *key;
        json_t *value;
    } const rows[] = {
        {"target", "target", json_integer(1)},
        {"target", "target", NULL},
        {"target/domain", "domain", json_array()},
        {"started", "started", json_string("yesterday")},
        {"elapsed_ms", "elapsed_ms", json_integer(-1)},
        {"checks", "checks", NULL},
        {"checks", "checks", json_object()},
        {"checks/0/verdict", "verdict", json_string("green")},
        {"checks/7/findings/0/args/code", "args", json_integer(454)},
        {"checks/7/findings/0/evidence", "evidence", json_pack("[i]", 0)},
        {"paths/0/address", "address", json_string("mx1.example.com")},
        {"paths/0/port", "port", json_integer(65536)},
        {"paths/0/tls/reason", "reason", json_string("bad")},
        {"paths/0/tls/names", "names", json_pack("[i]", 1)},
        {"paths/0/timings_ms/connect", "connect", json_string("1")},
        {"options/tls", "tls", json_string("maybe")},
        {"options/proxy", "proxy", json_string("v3")},
        {"options/xclient", "xclient", json_string("ADDR=nowhere")},
        {"options/bdat", "bdat", json_integer(0)},
        {"options/sample", "sample", json_string("worm")},
        {"options/lmtp", "lmtp", json_string("yes")},
        {"options/message", "message", json_integer(1)},
        {"options/timeout_s", "timeout_s", json_real(1.5)},
        {"dns/0/result", "result", json_string("perhaps")},
        {"dns/0/name", "name", NULL},
        {"dns/0/records", "records", json_pack("[i]", 1)},
        {"connections/0/port", "port", json_integer(0)},
        {"connections/0/line", "line", json_integer(4711)},
        {"connections/0/address", "address", json_string("x")},
        {"transcript", "transcript", NULL},
        {"transcript/0/n", "n", json_integer(0)},
        {"transcript/1/n", "n", json_integer(1)},
        {"transcript/0/dir", "dir", json_string("X")},
        {"transcript/1/base64", "base64", json_string("***")},
        {"transcript/0/text", "text", NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct error error;
        char shown[80];
        if (read_changed(rows[i].path, rows[i].value, &error) != ST_INVALID) {
            fail_msg("%s: not noticed", rows[i].path);
        }
        snprintf(shown, sizeof(shown), "\"%s\"", rows[i].key);
        if (strstr(error.text, shown) == NULL) {
            fail_msg("%s: %s", rows[i].path, error.text);
        }
    }
}

/* Later versions know more. */
static void unknown_things_are_left_out(void **state)
{
    (void)state;
    struct {
        const char *path;
        json_t *value;
    } const rows[] = {
        {"extra", json_pack("{s:[i]}", "x", 1)},
        {"checks/0/extra", json_true()},
        {"checks/0/id", json_string("dns.later")},
        {"checks/0/because", json_string("dns.later")},
        {"checks/7/findings/0/id", json_string("tls.starttls.later")},
        {"paths/0/tls/errors", json_pack("[ss]", "later", "expired")},
        {"transcript/0/check", json_string("dns.later")},
        {"transcript/0/flags", json_pack("[s]", "later")},
        {"dns/0/type", json_string("LATER")},
        {"connections/0/result", json_string("later")},
        {"connections/0/end", json_string("later")},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct error error;
        if (read_changed(rows[i].path, rows[i].value, &error) != ST_OK) {
            fail_msg("%s: %s", rows[i].path, error.text);
        }
    }
}

static void foreign_files_are_told(void **state)
{
    (void)state;
    static const struct {
        const char *text, *says;
    } rows[] = {
        {"", "ends too early"},
        {"[]", "no saved run"},
        {"{}", "no saved run"},
        {"7", "no JSON"},
        {"{\"schema\":7}", "no saved run"},
        {"{\"schema\":\"other/1\"}", "no saved run"},
        {"{\"schema\":\"smtpscope.report/2\"}", "another version"},
        {"{\"schema\":\"smtpscope.report/1\"}", "\"target\""},
        {"220 mx1.example.com", "no JSON"},
        {"\x7f"
         "ELF",
         "no JSON"},
        {"{\"a\":\"\x1b[31m\xff\"}", "no JSON"},
        {"{\"a\":1e999}", "no JSON"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct run_file f;
        struct error error = {.text = ""};
        assert_int_equal(
            run_file_read(&f, "\x1b[31mrun", rows[i].text, strlen(rows[i].text), &error),
            ST_INVALID);
        if (strstr(error.text, rows[i].says) == NULL) {
            fail_msg("%s: %s", rows[i].text, error.text);
        }
        assert_null(strchr(error.text, '\x1b'));
    }
}

static void deep_nesting_is_no_trap(void **state)
{
    (void)state;
    struct run_file f;
    struct error error;
    const size_t deep = 1000000;
    char *text = malloc(deep);
    assert_non_null(text);
    memset(text, '[', deep);
    assert_int_equal(run_file_read(&f, "run.json", text, deep, &error), ST_INVALID);
    free(text);
}

static void files_are_opened_with_care(void **state)
{
    (void)state;
    char dir[] = "/tmp/runfile-XXXXXX";
    char path[64];
    struct run_file f;
    struct error error;
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof(path), "%s/run.json", dir);
    assert_int_equal(run_file_open(&f, path, &error), ST_IO);
    assert_int_equal(run_file_open(&f, dir, &error), ST_INVALID);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(run_file_open(&f, path, &error), ST_INVALID);
    assert_int_equal(unlink(path), 0);

    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(ftruncate(fileno(file), (off_t)RUN_FILE_MAX + 1), 0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(run_file_open(&f, path, &error), ST_LIMIT);
    assert_non_null(strstr(error.text, "too large"));

    struct buf text;
    write_small(&text);
    file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(text.p, 1, text.len, file), text.len);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(run_file_open(&f, path, &error), ST_OK);
    run_file_free(&f);
    buf_free(&text);
    unlink(path);
    rmdir(dir);
}

static uint32_t next(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

/* What hurts a language with quotes, escapes and placeholders, or a reader with limits. */
static json_t *hostile(uint32_t *state)
{
    static const char *const texts[] = {
        "\"",      "\\",    "{",    "}",       "{host}", "\\x", "a\nb", "\r\n",     "#",
        "",        " ",     ",",    ": reply", "..",     ".",   "-",    "@",        "\xe2\x80\xae",
        "\x1b[2J", "a b",   "\\\"", "on RCPT", "%s%n",   "*",   "::1",  "10.0.0.1", "a.b.c.d",
        "\\032",   "\\999", "x\\"};
    uint32_t which = next(state) % (ARRAY_LEN(texts) + 2);
    if (which < ARRAY_LEN(texts)) {
        return json_string(texts[which]);
    }
    size_t len = which == ARRAY_LEN(texts) ? 300 : 70000;
    char *text = malloc(len);
    assert_non_null(text);
    memset(text, which == ARRAY_LEN(texts) ? 'a' : '"', len);
    json_t *value = json_stringn(text, len);
    free(text);
    return value;
}

/* Any string of the document, and now and then any number, becomes another one. */
static void spoil(json_t *o, uint32_t *state, unsigned one_in)
{
    const char *key;
    json_t *value;
    size_t i;
    void *tmp;
    if (json_is_object(o)) {
        json_object_foreach_safe(o, tmp, key, value)
        {
            bool hit = next(state) % one_in == 0 && strcmp(key, "schema") != 0;
            if (json_is_string(value) && hit) {
                assert_int_equal(json_object_set_new(o, key, hostile(state)), 0);
            } else if (json_is_integer(value) && hit) {
                assert_int_equal(json_object_set_new(o, key, json_integer(next(state) % 100000)),
                                 0);
            } else {
                spoil(value, state, one_in);
            }
        }
    } else if (json_is_array(o)) {
        json_array_foreach(o, i, value)
        {
            if (json_is_string(value) && next(state) % one_in == 0) {
                assert_int_equal(json_array_set_new(o, i, hostile(state)), 0);
            } else {
                spoil(value, state, one_in);
            }
        }
    }
}

/* Whatever stands in the file: it is refused in words, or becomes a scenario that can be read. */
static void spoilt_files_make_readable_scenarios(void **state)
{
    (void)state;
    struct report_run run;
    struct buf text;
    uint32_t random = SEED;
    size_t made = 0;
    report_run_init(&run, "mx1.example.com");
    write_run(&run, &text);
    for (size_t i = 0; i < 1500; i++) {
        struct run_file f;
        struct error error = {.text = ""};
        struct buf scenario;
        json_t *root = json_loadb(text.p, text.len, JSON_ALLOW_NUL, NULL);
        assert_non_null(root);
        spoil(root, &random, 20 + (unsigned)(i % 300));
        char *changed = json_dumps(root, 0);
        json_decref(root);
        assert_non_null(changed);
        enum status st = run_file_read(&f, "run.json", changed, strlen(changed), &error);
        assert_true(st == ST_OK || (st == ST_INVALID && error.text[0] != '\0'));
        free(changed);
        if (st != ST_OK) {
            continue;
        }
        buf_init(&scenario, REPORT_SCENARIO_MAX);
        st = report_scenario(&f, &scenario, &error);
        assert_true(st == ST_OK || (st == ST_LIMIT && error.text[0] != '\0'));
        struct network *net = NULL;
        const struct practice_options options = {.pace = PRACTICE_INSTANT};
        if (st == ST_OK && practice_open_text("made", buf_str(&scenario), scenario.len, &options,
                                              &net, NULL, &error) != ST_OK) {
            fail_msg("%s\n%s", error.text, buf_str(&scenario));
        }
        made += st == ST_OK ? 1 : 0;
        net_network_close(net);
        buf_free(&scenario);
        run_file_free(&f);
    }
    assert_true(made > 100);
    buf_free(&text);
    report_run_free(&run);
}

static void an_older_report_is_told(void **state)
{
    (void)state;
    struct buf text, out;
    struct run_file f;
    struct error error;
    write_small(&text);
    json_t *root = json_loadb(text.p, text.len, JSON_ALLOW_NUL, NULL);
    assert_int_equal(json_object_del(root, "dns"), 0);
    assert_int_equal(json_object_del(root, "options"), 0);
    assert_int_equal(json_object_del(root, "self"), 0);
    char *changed = json_dumps(root, 0);
    assert_int_equal(run_file_read(&f, "run.json", changed, strlen(changed), &error), ST_OK);
    assert_false(f.has_exchanges);
    buf_init(&out, REPORT_SCENARIO_MAX);
    assert_int_equal(report_scenario(&f, &out, &error), ST_INVALID);
    assert_non_null(strstr(error.text, "older version"));
    run_file_free(&f);
    free(changed);
    json_decref(root);
    buf_free(&text);
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
    struct buf text;
    write_small(&text);
    json_set_alloc_funcs(short_malloc, free);
    enum status st = ST_NOMEM;
    for (size_t n = 0; st != ST_OK; n++) {
        struct run_file f;
        struct error error = {.text = ""};
        allocations_left = n;
        st = run_file_read(&f, "run.json", text.p, text.len, &error);
        assert_true(st == ST_OK || error.text[0] != '\0');
        if (st == ST_OK) {
            run_file_free(&f);
        }
    }
    json_set_alloc_funcs(malloc, free);
    buf_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reports_come_back_whole),
        cmocka_unit_test(a_file_cut_at_any_byte_is_told),
        cmocka_unit_test(values_of_the_wrong_kind_are_named),
        cmocka_unit_test(unknown_things_are_left_out),
        cmocka_unit_test(foreign_files_are_told),
        cmocka_unit_test(deep_nesting_is_no_trap),
        cmocka_unit_test(files_are_opened_with_care),
        cmocka_unit_test(spoilt_files_make_readable_scenarios),
        cmocka_unit_test(an_older_report_is_told),
        cmocka_unit_test(every_shortage_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
