#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "commands.h"

struct bench {
    struct record record;
    struct plan plan;
};

static void setup(struct bench *b, const char *target)
{
    struct error error = {.text = ""};
    assert_int_equal(record_init(&b->record, 1), ST_OK);
    plan_init(&b->plan);
    if (plan_set_target(&b->plan, target, &error) != ST_OK) {
        fail_msg("%s", error.text);
    }
}

static struct facts *add_path(struct bench *b, uint16_t path)
{
    struct facts *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    facts_init(f, path);
    b->record.paths[path] = f;
    b->record.path_count = (size_t)path + 1;
    return f;
}

/* The path of mx1.example.org that was connected to. */
static struct facts *add_mx(struct bench *b, const char *address, uint16_t port)
{
    struct facts *f = add_path(b, 1);
    assert_true(net_address_parse(address, &f->address));
    f->address.port = port;
    assert_int_equal(str_set(&f->mx, "mx1.example.org"), ST_OK);
    assert_int_equal(str_set(&f->ehlo_name, "desk.office.example"), ST_OK);
    return f;
}

static void teardown(struct bench *b)
{
    record_free(&b->record);
    plan_free(&b->plan);
}

static void expect(const struct bench *b, enum check_id check, const char *expected)
{
    struct buf out;
    buf_init(&out, 65536);
    assert_int_equal(commands_for(&b->record, &b->plan, check, &out), ST_OK);
    assert_string_equal(buf_str(&out), expected);
    buf_free(&out);
}

static void every_step_of_a_domain_has_its_command(void **state)
{
    (void)state;
    struct bench b;
    setup(&b, "example.org");
    expect(&b, CHECK_CONNECT, "nc -vz example.org 25\n");
    expect(&b, CHECK_SELF_PTR,
           "# The own address is not known yet; this finds it out:\n"
           "dig -4 @resolver1.opendns.com myip.opendns.com A\n"
           "dig -6 @resolver1.opendns.com myip.opendns.com AAAA\n");
    struct facts *own = add_path(&b, 0);
    assert_int_equal(str_set(&own->own_address, "198.51.100.7"), ST_OK);
    assert_int_equal(str_set(&own->own_ptr, "desk.office.example"), ST_OK);
    add_mx(&b, "192.0.2.10", 25);
    expect(&b, CHECK_DNS_MX, "dig example.org MX\n");
    expect(&b, CHECK_DNS_ADDRESS, "dig mx1.example.org A\ndig mx1.example.org AAAA\n");
    expect(&b, CHECK_SELF_PTR, "dig -x 198.51.100.7\ndig desk.office.example A\n");
    expect(&b, CHECK_CONNECT, "nc -vz 192.0.2.10 25\n");
    expect(&b, CHECK_BANNER,
           "swaks --server 192.0.2.10:25 --helo desk.office.example --quit-after BANNER\n");
    expect(&b, CHECK_EHLO,
           "swaks --server 192.0.2.10:25 --helo desk.office.example --quit-after FIRST-EHLO\n");
    expect(&b, CHECK_STARTTLS,
           "openssl s_client -starttls smtp -name desk.office.example -connect 192.0.2.10:25 "
           "-servername mx1.example.org -verify_hostname mx1.example.org -showcerts </dev/null\n");
    expect(&b, CHECK_CERTIFICATE,
           "openssl s_client -starttls smtp -name desk.office.example -connect 192.0.2.10:25 "
           "-servername mx1.example.org -verify_hostname mx1.example.org -showcerts </dev/null "
           "| openssl x509 -noout -subject -issuer -dates -ext subjectAltName\n");
    expect(&b, CHECK_RELAY,
           "swaks --server 192.0.2.10:25 --helo desk.office.example --tls-optional-strict "
           "--tls-sni mx1.example.org --from postmaster@desk.office.example "
           "--to relay-check@example.net --quit-after RCPT\n");
    expect(&b, CHECK_AUTH,
           "swaks --server 192.0.2.10:25 --helo desk.office.example --tls-optional-strict "
           "--tls-sni mx1.example.org --auth --auth-user user@example.org --quit-after AUTH\n");
    expect(&b, CHECK_SEND,
           "swaks --server 192.0.2.10:25 --helo desk.office.example --tls-optional-strict "
           "--tls-sni mx1.example.org --from postmaster@desk.office.example "
           "--to postmaster@example.org\n");
    teardown(&b);
}

static void what_was_wished_for_is_in_it(void **state)
{
    (void)state;
    struct bench b;
    setup(&b, "submissions://[2001:db8::1]");
    b.plan.family = 6;
    assert_true(net_address_parse("2001:db8::7", &b.plan.source));
    assert_true(net_address_parse("192.0.2.53", &b.plan.dns.servers[0]));
    b.plan.dns.servers[0].port = 5353;
    b.plan.dns.server_count = 1;
    assert_int_equal(str_set(&b.plan.auth_user, "anna@example.org"), ST_OK);
    assert_int_equal(str_set(&b.plan.auth_mech, "PLAIN"), ST_OK);
    assert_int_equal(secret_set(&b.plan.password, "s3cret", 6), ST_OK);
    assert_int_equal(str_set(&b.plan.to, "bernd@example.net"), ST_OK);
    assert_int_equal(str_set(&b.plan.subject, "It's a test"), ST_OK);
    expect(&b, CHECK_DNS_MX, "# A host was named, so no MX is asked for.\n");
    expect(&b, CHECK_DNS_ADDRESS, "# An address was named, so none is asked for.\n");
    expect(&b, CHECK_BANNER, "swaks --server '[2001:db8::1]:465' -6 --local-interface 2001:db8::7 "
                             "--tls-on-connect --quit-after BANNER\n");
    expect(&b, CHECK_STARTTLS,
           "openssl s_client -6 -connect '[2001:db8::1]:465' -showcerts </dev/null\n");
    struct facts *f = add_path(&b, 1);
    assert_true(net_address_parse("2001:db8::1", &f->address));
    f->address.port = 465;
    f->authenticated = true;
    expect(&b, CHECK_AUTH,
           "swaks --server '[2001:db8::1]:465' -6 --local-interface 2001:db8::7 --tls-on-connect "
           "--auth PLAIN --auth-user anna@example.org --quit-after AUTH\n");
    expect(&b, CHECK_SEND,
           "swaks --server '[2001:db8::1]:465' -6 --local-interface 2001:db8::7 --tls-on-connect "
           "--auth PLAIN --auth-user anna@example.org --from anna@example.org "
           "--to bernd@example.net --header 'Subject: It'\\''s a test'\n");
    teardown(&b);
    setup(&b, "example.org");
    assert_true(net_address_parse("192.0.2.53", &b.plan.dns.servers[0]));
    b.plan.dns.servers[0].port = 5353;
    b.plan.dns.server_count = 1;
    expect(&b, CHECK_DNS_MX, "dig @192.0.2.53 -p 5353 example.org MX\n");
    teardown(&b);
}

/* No word that comes from a name server can end its quotes or the line. */
static void hostile_words_stay_words(void **state)
{
    (void)state;
    struct bench b;
    struct buf out;
    static const char hostile[] = "x';touch${IFS}/tmp/pwned;'\n`id`$(id)\\";
    setup(&b, "example.org");
    struct facts *f = add_mx(&b, "192.0.2.10", 25);
    assert_int_equal(str_set(&f->mx, hostile), ST_OK);
    assert_int_equal(str_set(&f->ehlo_name, hostile), ST_OK);
    assert_int_equal(str_set(&b.plan.from, hostile), ST_OK);
    for (int check = 0; check < CHECK_COUNT; check++) {
        buf_init(&out, 65536);
        assert_int_equal(commands_for(&b.record, &b.plan, (enum check_id)check, &out), ST_OK);
        /* The shell itself says what words it sees: functions stand in for the programs. */
        char script[16384];
        snprintf(script, sizeof(script),
                 "words() { for w; do case $w in *pwned*) test \"$w\" = \"$E\" || exit 9;; esac; done; }\n"
                 "dig() { words \"$@\"; }\nnc() { words \"$@\"; }\nswaks() { words \"$@\"; }\n"
                 "openssl() { words \"$@\"; }\n%s",
                 buf_str(&out));
        pid_t pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
            setenv("E", "x';touch${IFS}/tmp/pwned;'`id`$(id)\\", 1);
            execl("/bin/sh", "sh", "-c", script, (char *)NULL);
            _exit(127);
        }
        int status = 0;
        assert_int_equal(waitpid(pid, &status, 0), pid);
        if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
            fail_msg("check %d, status %d:\n%s", check, status, script);
        }
        assert_null(strstr(buf_str(&out), "s3cret"));
        buf_free(&out);
    }
    assert_int_not_equal(access("/tmp/pwned", F_OK), 0);
    teardown(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_step_of_a_domain_has_its_command),
        cmocka_unit_test(what_was_wished_for_is_in_it),
        cmocka_unit_test(hostile_words_stay_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
