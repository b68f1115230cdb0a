#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "check.h"
#include "options.h"

#define WORDS 16

struct given {
    struct options o;
    struct error error;
    char *words[WORDS];
    int count;
};

static enum status parse(struct given *g, const char *line)
{
    memset(g, 0, sizeof(*g));
    options_init(&g->o);
    while (*line != '\0') {
        size_t len = strcspn(line, " ");
        if (len > 0) {
            assert_true(g->count < WORDS);
            g->words[g->count++] = str_ndup(line, len);
        }
        line += len + (line[len] == ' ');
    }
    return options_parse(&g->o, g->count, g->words, &g->error);
}

static void drop(struct given *g)
{
    options_free(&g->o);
    for (int i = 0; i < g->count; i++) {
        free(g->words[i]);
    }
}

static void accept_line(struct given *g, const char *line)
{
    enum status st = parse(g, line);
    if (st == ST_OK) {
        st = options_check_practice(&g->o, &g->error);
    }
    if (st == ST_OK) {
        st = options_check(&g->o, &g->error);
    }
    if (st == ST_OK) {
        st = options_finish(&g->o, &g->error);
    }
    if (st != ST_OK) {
        fail_msg("%s: %s", line, g->error.text);
    }
}

/* The sentence must say what is wrong; `part` is its core. */
static void refuse_line(const char *line, const char *part)
{
    struct given g;
    enum status st = parse(&g, line);
    if (st == ST_OK) {
        st = options_check_practice(&g.o, &g.error);
    }
    if (st == ST_OK) {
        st = options_check(&g.o, &g.error);
    }
    if (st == ST_OK) {
        st = options_finish(&g.o, &g.error);
    }
    if (st == ST_OK || strstr(g.error.text, part) == NULL) {
        fail_msg("%s: \"%s\" instead of \"%s\"", line, st == ST_OK ? "" : g.error.text, part);
    }
    drop(&g);
}

static void test_defaults(void **state)
{
    (void)state;
    struct given g;
    accept_line(&g, "");
    assert_int_equal(g.o.mode, OPTIONS_RUN);
    assert_null(g.o.target);
    assert_false(options_headless(&g.o));
    assert_int_equal(g.o.password_fd, -1);
    assert_int_equal(plan_port(&g.o.plan), 25);
    drop(&g);
}

static void test_everything_at_once(void **state)
{
    (void)state;
    struct given g;
    accept_line(&g,
                "--host mx1.example.org:2525 example.org --tls=none -4 --helo a.example --check");
    assert_string_equal(g.o.plan.domain, "example.org");
    assert_string_equal(g.o.plan.host, "mx1.example.org");
    assert_int_equal(plan_port(&g.o.plan), 2525);
    assert_int_equal(g.o.plan.tls, PLAN_TLS_NONE);
    assert_int_equal(g.o.plan.family, 4);
    assert_string_equal(g.o.plan.helo, "a.example");
    assert_true(options_headless(&g.o));
    drop(&g);
    accept_line(&g, "--port 587 --source 192.0.2.1 --timeout 7 --deadline 99 -qV -- example.org");
    assert_int_equal(plan_port(&g.o.plan), 587);
    assert_int_equal(g.o.plan.source.family, 4);
    assert_int_equal(g.o.plan.limits.banner, 7000);
    assert_int_equal(g.o.plan.limits.dot, 7000);
    assert_int_equal(g.o.plan.deadline_s, 99);
    assert_true(g.o.quiet);
    assert_int_equal(g.o.mode, OPTIONS_VERSION);
    drop(&g);
    accept_line(&g, "--resolver 192.0.2.53 --resolver [2001:db8::53]:5353 --resolver 2001:db8::54");
    assert_int_equal(g.o.plan.dns.server_count, 3);
    assert_int_equal(g.o.plan.dns.servers[0].port, 0);
    assert_int_equal(g.o.plan.dns.servers[1].port, 5353);
    assert_int_equal(g.o.plan.dns.servers[2].family, 6);
    drop(&g);
    accept_line(&g,
                "--only dns.mx,tls.starttls --relay-test --send --to a@example.org example.org");
    assert_int_equal(g.o.plan.only, UINT64_C(1) << CHECK_DNS_MX | UINT64_C(1) << CHECK_STARTTLS);
    assert_true(g.o.plan.relay_consent && g.o.plan.send_consent);
    drop(&g);
}

static void test_the_test_mail(void **state)
{
    (void)state;
    struct given g;
    accept_line(&g, "--mail-param RET=HDRS --mail-param ENVID=x --rcpt-param NOTIFY=NEVER --bdat "
                    "--sample gtube --attach /a/b.txt example.org");
    assert_string_equal(g.o.plan.mail_params, "RET=HDRS ENVID=x");
    assert_string_equal(g.o.plan.rcpt_params, "NOTIFY=NEVER");
    assert_int_equal(g.o.plan.chunk, PLAN_CHUNK_DEFAULT);
    assert_int_equal(g.o.plan.sample, SAMPLE_GTUBE);
    assert_string_equal(g.o.attach, "/a/b.txt");
    drop(&g);
    accept_line(&g, "--bdat=100 --message m.eml example.org");
    assert_int_equal(g.o.plan.chunk, 100);
    drop(&g);
    refuse_line("--bdat=0", "from 1 to");
    refuse_line("--sample virus", "gtube eicar");
    refuse_line("--mail-param=", "must not be empty");
    refuse_line("--message m.eml --attach x a.example", "--message sends a file as it is");
    refuse_line("--message m.eml --subject x a.example", "--message sends a file as it is");
}

static void test_in_whose_name(void **state)
{
    (void)state;
    struct given g;
    accept_line(&g, "--xclient ADDR=192.0.2.1 --xclient NAME=x.example --proxy v2:2001:db8::7 "
                    "--lmtp mx1.example.org:2424");
    assert_string_equal(g.o.plan.xclient, "ADDR=192.0.2.1 NAME=x.example");
    assert_int_equal(g.o.plan.proxy.version, 2);
    assert_int_equal(g.o.plan.family, 6); /* the header can speak of no other */
    assert_true(g.o.plan.lmtp);
    drop(&g);
    accept_line(&g, "--lmtp --host store.example.org");
    assert_int_equal(plan_port(&g.o.plan), 24);
    drop(&g);
    refuse_line("--proxy v3", "v1 or v2");
    refuse_line("--proxy v1:here", "v1 or v2");
    refuse_line("--xclient FOO=1 a.example", "no attribute of XCLIENT");
    refuse_line("--proxy v1:192.0.2.1 -6 a.example", "only IPv6");
}

static void test_replay_is_headless(void **state)
{
    (void)state;
    struct given g;
    accept_line(&g, "--replay x.txt --send a.example");
    assert_true(options_headless(&g.o));
    /* The consent is for the script, and no step takes it for its own. */
    assert_false(g.o.plan.send_consent);
    assert_int_equal(g.o.replay_consent, SCRIPT_ENVELOPE | SCRIPT_ASKING | SCRIPT_MESSAGE);
    assert_int_equal(options_files(&g.o, &g.error), ST_INVALID);
    assert_non_null(strstr(g.error.text, "x.txt"));
    drop(&g);
}

static void test_demo_takes_its_value_by_equals_alone(void **state)
{
    (void)state;
    struct given g;
    accept_line(&g, "--demo example.org");
    assert_true(g.o.demo);
    assert_null(g.o.scenario);
    assert_string_equal(g.o.target, "example.org");
    drop(&g);
    accept_line(&g, "--demo=open-relay");
    assert_string_equal(g.o.scenario, "open-relay");
    drop(&g);
}

static void test_practice_is_for_this_machine(void **state)
{
    (void)state;
    static const struct {
        const char *text, *shown;
    } good[] = {{"127.0.0.1:2525", "127.0.0.1:2525"},
                {"127.9.9.9:0", "127.9.9.9:0"},
                {"localhost:25", "127.0.0.1:25"},
                {"[::1]:65535", "[::1]:65535"}};
    static const char *const bad[] = {"127.0.0.1",    "127.0.0.1:",    "127.0.0.1:65536",
                                      "127.0.0.1:-1", "127.0.0.1:2x",  "::1:2525",
                                      "[::1]",        "[::1:2525",     "localhost",
                                      "localhost:",   "example.org:1", "localhost.:25",
                                      ":2525",        "2525",          "127.0.0.1:2525:1"};
    static const char *const elsewhere[] = {"0.0.0.0:2525", "192.0.2.1:2525", "[::]:2525",
                                            "[2001:db8::1]:2525"};
    struct given g;
    char line[128], shown[NET_ADDRESS_TEXT];
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        snprintf(line, sizeof(line), "--practice %s --scenario open-relay --host h:26",
                 good[i].text);
        accept_line(&g, line);
        assert_true(g.o.practice);
        net_address_format_port(&g.o.practice_at, shown, sizeof(shown));
        assert_string_equal(shown, good[i].shown);
        assert_string_equal(g.o.offered, "open-relay");
        drop(&g);
    }
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        snprintf(line, sizeof(line), "--practice %s --practice-public", bad[i]);
        refuse_line(line, "as 127.0.0.1:2525");
    }
    for (size_t i = 0; i < ARRAY_LEN(elsewhere); i++) {
        snprintf(line, sizeof(line), "--practice %s", elsewhere[i]);
        refuse_line(line, "add --practice-public");
        snprintf(line, sizeof(line), "--practice-public --practice %s", elsewhere[i]);
        accept_line(&g, line);
        drop(&g);
    }
}

static void test_practice_tests_nothing(void **state)
{
    (void)state;
    static const char *const others[] = {"--demo",  "--check", "--json",       "--save f",
                                         "--tee f", "--send",  "--relay-test", "--auth-user u"};
    char line[128];
    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        char name[32];
        snprintf(line, sizeof(line), "%s --practice 127.0.0.1:0", others[i]);
        snprintf(name, sizeof(name), "%.*s does not go", (int)strcspn(others[i], " "), others[i]);
        refuse_line(line, name);
    }
    refuse_line("--practice 127.0.0.1:0 example.org", "takes no target");
    refuse_line("--scenario healthy", "--demo=healthy");
    refuse_line("--demo --scenario healthy", "--demo=healthy");
    refuse_line("--practice-ca f example.org", "--practice-ca needs --practice");
    refuse_line("--practice-public --demo", "--practice-public needs --practice");
}

static void test_later_words_win(void **state)
{
    (void)state;
    struct given g;
    accept_line(&g, "--port 25 --port 587 -4 -6 --color always --no-color --mouse --no-mouse");
    assert_int_equal(g.o.port, 587);
    assert_int_equal(g.o.family, 6);
    assert_int_equal(g.o.color, OPTIONS_COLOR_NEVER);
    assert_false(g.o.mouse);
    drop(&g);
}

static void test_bad_use_is_explained(void **state)
{
    (void)state;
    refuse_line("--jsn", "no option --jsn. The nearest one is --json.");
    refuse_line("--chekc=1", "--check");
    refuse_line("--xyzzy-nothing", "See smtpscope --help.");
    refuse_line("-x", "no option -x");
    refuse_line("-4x", "no option -x");
    refuse_line("--port", "needs a value: N");
    refuse_line("--check=yes", "takes no value");
    refuse_line("--port 0", "from 1 to 65535");
    refuse_line("--port 65536", "from 1 to 65535");
    refuse_line("--port 25x", "\"25x\"");
    refuse_line("--port -5", "from 1 to 65535");
    refuse_line("--port +25", "from 1 to 65535");
    refuse_line("--timeout 99999999999999999999", "from 1 to 3600");
    refuse_line("--tls maybe", "auto starttls implicit none");
    refuse_line("--tls star", "is one of");
    refuse_line("--only dns.mxx", "dns.mx");
    refuse_line("--resolver name.example", "IP address");
    refuse_line("--resolver 192.0.2.53:0", "IP address");
    refuse_line("--resolver 192.0.2.53:x", "IP address");
    refuse_line("--source here", "IP address");
    refuse_line("--auth-mech ROT13", "ROT13");
    refuse_line("--save=", "must not be empty");
    refuse_line("a.example b.example", "only one target");
    refuse_line("--quiet --verbose", "exclude each other");
    refuse_line("--read-only --send a.example", "--read-only forbids");
    refuse_line("--key k.pem a.example", "--key needs --cert");
    refuse_line("--password-env X a.example", "--auth-user");
    refuse_line("--auth-user u --password-env X --password-fd 3 a.example", "Only one option");
    refuse_line("exa..mple", "exa..mple");
}

static void test_hostile_words_are_shown_safely(void **state)
{
    (void)state;
    struct given g;
    assert_int_equal(parse(&g, "--\x1b[31mred\xff"), ST_INVALID);
    assert_null(strchr(g.error.text, '\x1b'));
    assert_null(strchr(g.error.text, '\xff'));
    drop(&g);
    assert_int_equal(parse(&g, "--port \x9b\x07"), ST_INVALID);
    assert_null(strchr(g.error.text, '\x07'));
    drop(&g);
}

static void test_a_password_cannot_be_an_argument(void **state)
{
    (void)state;
    static const char *const lines[] = {"--password hunter2 a.example", "--password=hunter2",
                                        "a.example --password", "--password --check"};
    for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
        struct given g;
        assert_int_equal(parse(&g, lines[i]), ST_INVALID);
        assert_non_null(strstr(g.error.text, "--password-file"));
        assert_null(strstr(g.error.text, "hunter2"));
        assert_false(secret_is_set(&g.o.plan.password));
        for (int k = 0; k < g.count; k++) {
            assert_null(strstr(g.words[k], "hunter2"));
        }
        drop(&g);
    }
}

static void test_a_scenario_may_have_a_public_password(void **state)
{
    (void)state;
    struct given g;
    char *storage = NULL;
    accept_line(&g, "");
    assert_int_equal(options_parse_text(&g.o, "--auth-user anna --password=autumn  --port 587",
                                        &storage, &g.error),
                     ST_OK);
    assert_int_equal(options_password(&g.o, &g.error), ST_OK);
    assert_true(g.o.plan.auth_wanted);
    assert_int_equal(g.o.plan.password.len, 6);
    assert_int_equal(g.o.port, 587);
    assert_null(strstr(storage, "autumn"));
    free(storage);
    drop(&g);
}

static void test_password_from_the_environment(void **state)
{
    (void)state;
    struct given g;
    accept_line(&g, "--auth-user u --password-env SMTPSCOPE_TEST_PASSWORD a.example");
    assert_int_equal(options_password(&g.o, &g.error), ST_INVALID);
    assert_int_equal(setenv("SMTPSCOPE_TEST_PASSWORD", "from the environment", 1), 0);
    const char *place = getenv("SMTPSCOPE_TEST_PASSWORD");
    assert_int_equal(options_password(&g.o, &g.error), ST_OK);
    assert_true(g.o.plan.auth_wanted);
    assert_string_equal(g.o.plan.password.p, "from the environment");
    assert_null(getenv("SMTPSCOPE_TEST_PASSWORD"));
    assert_int_not_equal(place[0], 'f');
    drop(&g);
}

static void test_password_from_a_file(void **state)
{
    (void)state;
    struct given g;
    char line[128];
    char path[] = "/tmp/smtpscope-test-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "in the file\nnot this\n", 21), 21);
    close(fd);
    snprintf(line, sizeof(line), "--auth-user u --password-file %s a.example", path);
    accept_line(&g, line);
    assert_int_equal(options_password(&g.o, &g.error), ST_OK);
    assert_string_equal(g.o.plan.password.p, "in the file");
    drop(&g);
    assert_int_equal(chmod(path, 0644), 0);
    accept_line(&g, line);
    assert_int_equal(options_password(&g.o, &g.error), ST_DENIED);
    assert_false(g.o.plan.auth_wanted);
    drop(&g);
    unlink(path);
}

static void test_language_is_found_early(void **state)
{
    (void)state;
    char a[] = "--check", b[] = "--lang", c[] = "es", d[] = "--lang=en", e[] = "--",
         f[] = "--lang=fr";
    char *words[] = {a, b, c, d, e, f};
    assert_null(options_find_lang(1, words));
    assert_null(options_find_lang(2, words));
    assert_string_equal(options_find_lang(3, words), "es");
    assert_string_equal(options_find_lang(4, words), "en");
    assert_string_equal(options_find_lang(6, words), "en");
}

static char *printed(void (*print)(FILE *out))
{
    char *text = NULL;
    size_t len = 0;
    FILE *f = open_memstream(&text, &len);
    assert_non_null(f);
    print(f);
    fclose(f);
    return text;
}

static void print_bash(FILE *out)
{
    assert_true(options_completion(out, "bash"));
}

static void print_zsh(FILE *out)
{
    assert_true(options_completion(out, "zsh"));
}

static void print_fish(FILE *out)
{
    assert_true(options_completion(out, "fish"));
    assert_false(options_completion(out, "tcsh"));
}

/* "--name" as the text writes it: roff wants its hyphens escaped, fish leaves them out. */
static void option_in(char *out, size_t size, const char *name, void (*print)(FILE *out))
{
    bool roff = print == options_man;
    snprintf(out, size, "%s", print == print_fish ? "-l " : roff ? "\\-\\-" : "--");
    for (const char *p = name; *p != '\0'; p++) {
        size_t len = strlen(out);
        snprintf(out + len, size - len, roff && *p == '-' ? "\\%c" : "%c", *p);
    }
}

static void test_all_texts_name_the_same_options(void **state)
{
    (void)state;
    static void (*const printers[])(FILE * out) = {options_help, options_man, print_bash, print_zsh,
                                                   print_fish};
    for (size_t i = 0; i < ARRAY_LEN(printers); i++) {
        char *text = printed(printers[i]);
        for (size_t k = 0; k < option_row_count; k++) {
            char name[80];
            option_in(name, sizeof(name), option_rows[k].name, printers[i]);
            if (option_rows[k].section < SECTION_HIDDEN && strstr(text, name) == NULL) {
                fail_msg("%s is missing in text %zu", name, i);
            }
        }
        free(text);
    }
}

static void test_help_fits(void **state)
{
    (void)state;
    char *text = printed(options_help);
    for (const char *p = text; *p != '\0';) {
        size_t len = strcspn(p, "\n");
        assert_true(len <= 80);
        p += len + (p[len] == '\n');
    }
    free(text);
}

static void test_rows_are_in_order(void **state)
{
    (void)state;
    for (size_t i = 0; i < option_row_count; i++) {
        for (size_t k = i + 1; k < option_row_count; k++) {
            assert_string_not_equal(option_rows[i].name, option_rows[k].name);
            assert_true(option_rows[i].letter == 0 ||
                        option_rows[i].letter != option_rows[k].letter);
        }
        assert_true(i == 0 || option_rows[i - 1].section <= option_rows[i].section);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_everything_at_once),
        cmocka_unit_test(test_the_test_mail),
        cmocka_unit_test(test_in_whose_name),
        cmocka_unit_test(test_replay_is_headless),
        cmocka_unit_test(test_demo_takes_its_value_by_equals_alone),
        cmocka_unit_test(test_practice_is_for_this_machine),
        cmocka_unit_test(test_practice_tests_nothing),
        cmocka_unit_test(test_later_words_win),
        cmocka_unit_test(test_bad_use_is_explained),
        cmocka_unit_test(test_hostile_words_are_shown_safely),
        cmocka_unit_test(test_a_password_cannot_be_an_argument),
        cmocka_unit_test(test_a_scenario_may_have_a_public_password),
        cmocka_unit_test(test_password_from_the_environment),
        cmocka_unit_test(test_password_from_a_file),
        cmocka_unit_test(test_language_is_found_early),
        cmocka_unit_test(test_all_texts_name_the_same_options),
        cmocka_unit_test(test_help_fits),
        cmocka_unit_test(test_rows_are_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
