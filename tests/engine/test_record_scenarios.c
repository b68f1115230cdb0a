#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "report.h"
#include "report_scenario.h"
#include "told.h"

/* Arguments that name nobody, so that they come again as they were. */
static const char *const compared[] = {"code",     "works",  "result", "mechs", "version",
                                       "software", "reason", "forms",  "port",  "family"};

/* What was found out, as "tls.starttls.refused fail code=502", sorted and each once. */
struct decisions {
    char list[RECORD_FINDINGS_MAX][200];
    size_t count;
};

static int by_text(const void *a, const void *b)
{
    return strcmp(a, b);
}

static void read_decisions(const struct record *r, struct decisions *d)
{
    size_t kept = 0;
    d->count = 0;
    for (size_t i = 0; i < r->finding_count; i++) {
        const struct finding *f = &r->findings[i].f;
        int n = snprintf(d->list[d->count], sizeof(d->list[0]), "%s %s %s", f->kind->id,
                         verdict_name(f->verdict), reply_class_name(f->class));
        for (size_t k = 0; k < ARRAY_LEN(compared); k++) {
            const char *value = finding_arg_get(f, compared[k]);
            if (value != NULL && n > 0 && (size_t)n < sizeof(d->list[0])) {
                n += snprintf(d->list[d->count] + n, sizeof(d->list[0]) - (size_t)n, " %s=%s",
                              compared[k], value);
            }
        }
        d->count++;
    }
    qsort(d->list, d->count, sizeof(d->list[0]), by_text);
    for (size_t i = 0; i < d->count; i++) {
        if (kept == 0 || strcmp(d->list[kept - 1], d->list[i]) != 0) {
            memmove(d->list[kept++], d->list[i], sizeof(d->list[0]));
        }
    }
    d->count = kept;
}

static bool same_decisions(const struct decisions *a, const struct decisions *b)
{
    bool same = a->count == b->count;
    for (size_t i = 0; same && i < a->count; i++) {
        same = strcmp(a->list[i], b->list[i]) == 0;
    }
    return same;
}

static void print_decisions(const char *title, const struct decisions *d)
{
    print_message("  %s:", title);
    for (size_t i = 0; i < d->count; i++) {
        print_message(" %s;", d->list[i]);
    }
    print_message("\n");
}

/* The run as it would be saved, and what is made of the file. */
static void make_scenario(const struct runner *r, const char *name, struct buf *json,
                          struct buf *scenario)
{
    struct error error = {.text = ""};
    struct guide *guide = NULL;
    struct run_file run;
    assert_int_equal(guide_load(&guide, NULL, "en", &error), ST_OK);
    const struct report_options o = {
        .format = REPORT_JSON, .plan = &r->plan, .guide = guide, .english_guide = guide};
    assert_int_equal(report_build(&r->record, &o, json), ST_OK);
    guide_free(guide);
    if (run_file_read(&run, name, buf_str(json), json->len, &error) != ST_OK ||
        report_scenario(&run, scenario, &error) != ST_OK) {
        fail_msg("%s: %s", name, error.text);
    }
    run_file_free(&run);
}

static unsigned weight_of(const struct record *r, const char *id)
{
    static const unsigned weights[] = {
        [VERDICT_NOTE] = 1, [VERDICT_WARN] = 2, [VERDICT_INCONCLUSIVE] = 3, [VERDICT_FAIL] = 4};
    unsigned weight = 0;
    for (size_t i = 0; i < r->finding_count; i++) {
        const struct finding *f = &r->findings[i].f;
        size_t v = (size_t)f->verdict;
        bool counts = v < ARRAY_LEN(weights) && (id == NULL || strcmp(f->kind->id, id) == 0);
        weight = counts && weights[v] > weight ? weights[v] : weight;
    }
    return weight;
}

/* What is asked for as the cause is nothing small where something large was found. */
static void expects_the_worst_first(const struct record *r, const char *name, const char *scenario)
{
    char first[80] = "";
    const char *line = strstr(scenario, "\nexpect  ");
    if (line != NULL) {
        line += strlen("\nexpect  ");
        snprintf(first, sizeof(first), "%.*s", (int)strcspn(line, " \n"), line);
    }
    if ((line != NULL ? weight_of(r, first) : 0) != weight_of(r, NULL)) {
        fail_msg("%s: \"%s\" is expected first", name, first);
    }
}

/* One scenario, its record, the scenario out of it: both runs must decide the same. `r` is open. */
static bool comes_again(struct runner *r, const char *name, struct buf *json, struct buf *scenario)
{
    struct runner again;
    struct options o;
    char *storage = NULL;
    static struct decisions first, second;
    runner_run(r);
    read_decisions(&r->record, &first);
    make_scenario(r, name, json, scenario);
    expects_the_worst_first(&r->record, name, buf_str(scenario));
    told_open_whole(&again, &o, &storage, name, buf_str(scenario));
    runner_run(&again);
    read_decisions(&again.record, &second);
    bool same = same_decisions(&first, &second);
    if (!same) {
        print_message("%s:\n", name);
        print_decisions("recorded", &first);
        print_decisions("acted out", &second);
    }
    told_close(&again, &o, storage);
    return same;
}

static void test_every_scenario_comes_again(void **state)
{
    (void)state;
    char **names = NULL;
    struct error error = {.text = ""};
    size_t all = 0;
    size_t right = 0;
    assert_int_equal(practice_names(NULL, &names, &error), ST_OK);
    for (char **name = names; *name != NULL; name++) {
        struct runner r;
        struct options o;
        struct buf json, scenario;
        char *storage = NULL;
        buf_init(&json, REPORT_MAX);
        buf_init(&scenario, REPORT_SCENARIO_MAX);
        told_open(&r, &o, &storage, *name);
        all++;
        right += comes_again(&r, *name, &json, &scenario) ? 1 : 0;
        told_close(&r, &o, storage);
        buf_free(&json);
        buf_free(&scenario);
    }
    practice_names_free(names);
    print_message("%zu of %zu recorded scenarios were diagnosed as before\n", right, all);
    assert_int_equal(right, all);
}

/* The scenarios' example names and addresses, and what could be real ones. The longer ones first.
 */
static const struct {
    const char *example, *real;
} identities[] = {
    {"exmaple.org", "tannenhof-wreke.de"},
    {"example.org", "tannenhof-werke.de"},
    {"example.net", "nachbarverein.eu"},
    {"office.example", "kontor-mueller.at"},
    {"mailhost.example", "postdienst-nord.net"},
    {"provider.example", "dslnetz-sued.de"},
    {"hosting.example", "webraum-ost.ch"},
    {"shop.invalid", "ladengilde.info"},
    {"7.100.51.198.in", "7.132.214.85.in"},
    {"7.113.0.203.in", "7.7.146.62.in"},
    {"198-51-100-7", "85-214-132-7"},
    {"198.51.100.", "85.214.132."},
    {"192.0.2.", "81.2.69."},
    {"203.0.113.", "62.146.7."},
    {"2001:db8:", "2a01:4f8:"},
    {"10.20.0.25", "10.77.31.25"},
    {"10.1.0.7", "10.42.9.7"},
    {"anna", "friederike"},
    {"bernd", "leopoldine"},
    {"ana@", "fridericke@"},
    {"hotline", "kummerkasten"},
    {"orders", "bestellwesen"},
    {"desk", "rechner77"},
    {"rack7", "schrank77"},
};

/* Nothing of these may be left, in whatever case; the real names above and their parts. */
static const char *const traces[] = {
    "tannenhof",    "werke",     "wreke",      "nachbarverein", "kontor",     "mueller",
    "postdienst",   "dslnetz",   "webraum",    "ladengilde",    "85.214.132", "85-214-132",
    "132.214.85",   "81.2.69",   "69.2.81",    "62.146.7",      "7.146.62",   "2a01:4f8",
    "10.77.31",     "10.42.9",   "friederike", "fridericke",    "leopoldine", "kummerkasten",
    "bestellwesen", "rechner77", "schrank77",
};

static void put_real(const char *text, size_t len, struct buf *out)
{
    size_t at = 0;
    while (at < len) {
        size_t i = 0;
        while (i < ARRAY_LEN(identities) &&
               (strlen(identities[i].example) > len - at ||
                memcmp(text + at, identities[i].example, strlen(identities[i].example)) != 0)) {
            i++;
        }
        if (i < ARRAY_LEN(identities)) {
            assert_int_equal(buf_add_str(out, identities[i].real), ST_OK);
            at += strlen(identities[i].example);
        } else {
            assert_int_equal(buf_add_char(out, text[at++]), ST_OK);
        }
    }
}

static void read_scenario(const char *name, struct buf *out)
{
    char path[512];
    static char text[65536];
    snprintf(path, sizeof(path), "%s/%s.txt", SCENARIO_DIR, name);
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    size_t n = fread(text, 1, sizeof(text), f);
    assert_true(n > 0 && n < sizeof(text));
    fclose(f);
    put_real(text, n, out);
}

static bool holds(const char *text, const char *word)
{
    return strcasestr(text, word) != NULL;
}

/* With names that belong to somebody: none of them is in what may be given away, and it still is
 * the same lesson. */
static void test_nobody_is_named(void **state)
{
    (void)state;
    char **names = NULL;
    struct error error = {.text = ""};
    size_t all = 0;
    size_t right = 0;
    size_t left = 0;
    size_t seen = 0;
    assert_int_equal(practice_names(NULL, &names, &error), ST_OK);
    for (char **name = names; *name != NULL; name++) {
        struct runner r;
        struct options o;
        struct buf real, json, scenario;
        char *storage = NULL;
        buf_init(&real, SCENARIO_FILE_MAX);
        buf_init(&json, REPORT_MAX);
        buf_init(&scenario, REPORT_SCENARIO_MAX);
        read_scenario(*name, &real);
        told_open_whole(&r, &o, &storage, *name, buf_str(&real));
        bool same = comes_again(&r, *name, &json, &scenario);
        for (size_t i = 0; i < ARRAY_LEN(traces); i++) {
            seen += holds(buf_str(&json), traces[i]) ? 1 : 0;
            if (holds(buf_str(&scenario), traces[i])) {
                print_error("%s: %s is still there\n%s\n", *name, traces[i], buf_str(&scenario));
                left++;
            }
        }
        all++;
        right += same ? 1 : 0;
        told_close(&r, &o, storage);
        buf_free(&real);
        buf_free(&json);
        buf_free(&scenario);
    }
    practice_names_free(names);
    print_message("%zu traces of real names in %zu records, %zu in the scenarios\n", seen, all,
                  left);
    print_message("%zu of %zu recorded scenarios with real names were diagnosed as before\n", right,
                  all);
    assert_true(seen > all);
    assert_int_equal(left, 0);
    assert_int_equal(right, all);
}

/* A big provider's server as it talks in the world; the first lines are as in any file. */
static const char provider[] =
    "title Blocked by a provider\n"
    "target tannenhof-werke.de\n"
    "options --send --to friederike@tannenhof-werke.de --relay-test\n"
    "me\n"
    "    name gw.kontor-mueller.at\n"
    "    address 85.214.132.7\n"
    "zone tannenhof-werke.de\n"
    "    @ MX 10 tannenhofwerke-de0i.mail.protection.outlook.com\n"
    "host tannenhofwerke-de0i.mail.protection.outlook.com\n"
    "    address 52.101.68.1 52.101.68.2\n"
    "    ptr mail-db5eur02hn1.inbound.protection.outlook.com\n"
    "    port 25 eop\n"
    "server eop\n"
    "    banner \"220 DB5PEPF00014B8F.mail.protection.outlook.com Microsoft ESMTP MAIL Service "
    "ready at "
    "Mon, 23 Nov 2026 12:00:00 +0000 [08DD1234567890AB]\"\n"
    "    hello \"DB5PEPF00014B8F.mail.protection.outlook.com Hello [{client}]\"\n"
    "    offer SIZE 157286400\n"
    "    offer PIPELINING\n"
    "    offer STARTTLS\n"
    "    certificate names *.mail.protection.outlook.com\n"
    "    on MAIL: reply \"250 2.1.0 Sender OK\"\n"
    "    on RCPT: reply \"550 5.7.1 Service unavailable, Client host [{client}] blocked using "
    "Spamhaus. "
    "To request removal from this list see https://www.spamhaus.org/query/ip/{client} AS(1450) "
    "[DB5PEPF00014B8F.eurprd02.prod.outlook.com 2026-11-23T12:00:00.000Z 08DD1234567890AB]\"\n"
    "    on QUIT: reply \"221 2.0.0 Service closing transmission channel\"\n";

/* Whose software it is and who blocks must still be seen. */
static void test_providers_are_still_known(void **state)
{
    (void)state;
    static const char *const kept[] = {
        "@ MX 10 mx1.mail.protection.outlook.com",
        "Microsoft ESMTP MAIL Service ready",
        ".prod.outlook.com 2026-11-23",
        "Client host [198.51.100.7] blocked using Spamhaus.",
        "https://www.spamhaus.org/query/ip/198.51.100.7 AS(1450)",
        "--send --to user-1@example.org",
        "\"*.mail.protection.outlook.com\"",
    };
    static const char *const gone[] = {"tannenhof", "DB5PEPF", "08DD12", "85.214",     "52.101",
                                       "kontor",    "mueller", "de0i",   "friederike", "eurprd02"};
    struct runner r;
    struct options o;
    struct buf json, scenario;
    char *storage = NULL;
    buf_init(&json, REPORT_MAX);
    buf_init(&scenario, REPORT_SCENARIO_MAX);
    told_open_whole(&r, &o, &storage, "provider", provider);
    assert_true(comes_again(&r, "provider", &json, &scenario));
    for (size_t i = 0; i < ARRAY_LEN(kept); i++) {
        if (strstr(buf_str(&scenario), kept[i]) == NULL) {
            fail_msg("no %s in\n%s", kept[i], buf_str(&scenario));
        }
    }
    for (size_t i = 0; i < ARRAY_LEN(gone); i++) {
        if (holds(buf_str(&scenario), gone[i])) {
            fail_msg("still %s in\n%s", gone[i], buf_str(&scenario));
        }
    }
    told_close(&r, &o, storage);
    buf_free(&json);
    buf_free(&scenario);
}

/* An address that begins a line is none of a reply's codes. */
static const char numbered[] =
    "title A server that calls itself by its address\n"
    "target tannenhof-werke.de\n"
    "zone tannenhof-werke.de\n"
    "    @ MX 10 mail.tannenhof-werke.de\n"
    "host mail.tannenhof-werke.de\n"
    "    address 193.99.144.80\n"
    "    port 25 s\n"
    "server s\n"
    "    hello \"193.99.144.80 at your service\"\n"
    "    on QUIT: reply \"193.99.144.80 is leaving\", close\n";

static void test_addresses_are_no_codes(void **state)
{
    (void)state;
    struct runner r;
    struct options o;
    struct buf json, scenario;
    char *storage = NULL;
    buf_init(&json, REPORT_MAX);
    buf_init(&scenario, REPORT_SCENARIO_MAX);
    told_open_whole(&r, &o, &storage, "numbered", numbered);
    runner_run(&r);
    make_scenario(&r, "numbered", &json, &scenario);
    if (strstr(buf_str(&scenario), "hello \"192.0.2.10 at your service\"") == NULL ||
        strstr(buf_str(&scenario), "reply \"192.0.2.10 is leaving\"") == NULL ||
        strstr(buf_str(&scenario), "144.80") != NULL) {
        fail_msg("%s", buf_str(&scenario));
    }
    told_close(&r, &o, storage);
    buf_free(&json);
    buf_free(&scenario);
}

#define HAND_HEAD                                                                                  \
    "me\n    name gw.kontor-mueller.at\n    address 85.214.132.7\n"                                \
    "zone tannenhof-werke.de\n    @ MX 10 mx\n"                                                    \
    "host mx.tannenhof-werke.de\n    address 81.2.69.10\n    port 24 mx\n    port 25 mx\n"         \
    "server mx\n    local tannenhof-werke.de\n"

/* What is asked for beyond the usual session, and what servers make of it. */
static const struct {
    const char *name, *text;
    const char *kept[6];
} by_hand[] = {
    {"params",
     "title Params\ntarget tannenhof-werke.de\n"
     "options --send --to friederike@tannenhof-werke.de --bdat=150 --sample gtube"
     " --mail-param RET=HDRS --mail-param ENVID=Brief+2Btannenhof-werke.de"
     " --rcpt-param ORCPT=rfc822;friederike+3Dx@tannenhof-werke.de --rcpt-param "
     "NOTIFY=NEVER\n" HAND_HEAD
     "    on BDAT first 1: default\n    on BDAT: reply \"552 5.3.4 Too big\"\n",
     {"--mail-param RET=HDRS", "--mail-param ENVID=Brief+2Bexample.org", "--sample gtube",
      "ORCPT=rfc822;user-", "--bdat=150", "on BDAT first 1: default"}},
    {"auth param",
     "title Auth\ntarget tannenhof-werke.de\n"
     "options --send --to friederike@tannenhof-werke.de"
     " --mail-param AUTH=leopoldine@kontor-mueller.at --rcpt-param X-BY=leopoldine\n" HAND_HEAD,
     {"--mail-param AUTH=user-", "--rcpt-param X-BY=user-"}},
    {"last chunk",
     "title Last\ntarget tannenhof-werke.de\n"
     "options --send --to friederike@tannenhof-werke.de --bdat=200\n" HAND_HEAD
     "    on message: reply \"550 5.7.1 Spam from leopoldine@kontor-mueller.at\"\n",
     {"on message: reply \"550 5.7.1 Spam from user-"}},
    {"lmtp",
     "title LMTP\ntarget tannenhof-werke.de\n"
     "options --lmtp --send --to friederike@tannenhof-werke.de --xclient ADDR=62.146.7.9"
     " --xclient NAME=bote.nachbarverein.eu --xclient LOGIN=leopoldine\n" HAND_HEAD
     "    lmtp\n    offer XCLIENT ADDR NAME LOGIN\n"
     "    on message: reply \"250 2.0.0 kept for friederike\"\n",
     {"--lmtp", "\n    lmtp\n", "--xclient ADDR=", "--xclient LOGIN=user-",
      "offer XCLIENT ADDR NAME LOGIN", "on message: reply \"250 2.0.0 kept for user-"}},
    {"no lmtp", "title No LMTP\ntarget tannenhof-werke.de\noptions --lmtp\n" HAND_HEAD, {"--lmtp"}},
    {"proxy 1",
     "title Proxy\ntarget mx.tannenhof-werke.de:25\noptions --proxy v1:62.146.7.9:4711\n" HAND_HEAD
     "    proxy any\n",
     {"--proxy v1:", ":4711", "\n    proxy v1\n"}},
    {"proxy 2",
     "title Proxy\ntarget mx.tannenhof-werke.de:25\noptions --proxy v2:local\n" HAND_HEAD
     "    proxy v2\n    on connect: reply \"554 go away\", close\n",
     {"--proxy v2:local", "\n    proxy v2\n"}},
    {"wrong proxy",
     "title Proxy\ntarget mx.tannenhof-werke.de:25\noptions --proxy v1\n" HAND_HEAD
     "    proxy v2\n",
     {"--proxy v1"}},
    {"no proxy",
     "title Proxy\ntarget mx.tannenhof-werke.de:25\noptions --proxy v1\n" HAND_HEAD,
     {"--proxy v1"}},
};

static void test_wishes_by_hand(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(by_hand); i++) {
        struct runner r;
        struct options o;
        struct buf json, scenario;
        char *storage = NULL;
        buf_init(&json, REPORT_MAX);
        buf_init(&scenario, REPORT_SCENARIO_MAX);
        told_open_whole(&r, &o, &storage, by_hand[i].name, by_hand[i].text);
        if (!comes_again(&r, by_hand[i].name, &json, &scenario)) {
            fail_msg("%s: diagnosed otherwise\n%s", by_hand[i].name, buf_str(&scenario));
        }
        for (size_t k = 0; k < ARRAY_LEN(by_hand[i].kept) && by_hand[i].kept[k] != NULL; k++) {
            if (strstr(buf_str(&scenario), by_hand[i].kept[k]) == NULL) {
                fail_msg("no %s in\n%s", by_hand[i].kept[k], buf_str(&scenario));
            }
        }
        for (size_t k = 0; k < ARRAY_LEN(traces); k++) {
            if (holds(buf_str(&scenario), traces[k])) {
                fail_msg("still %s in\n%s", traces[k], buf_str(&scenario));
            }
        }
        told_close(&r, &o, storage);
        buf_free(&json);
        buf_free(&scenario);
    }
}

/* On the screen a step gets its consent from a box, which the plan of the run does not know; and
 * what was typed by hand afterwards belongs to nobody's lesson. */
static void test_steps_of_the_screen(void **state)
{
    (void)state;
    struct runner r, again;
    struct options o;
    struct plan consent;
    struct buf json, scenario;
    char *storage = NULL;
    buf_init(&json, REPORT_MAX);
    buf_init(&scenario, REPORT_SCENARIO_MAX);
    runner_open(&r, "greylist-451", PRACTICE_INSTANT);
    r.plan.stay = true;
    r.plan.send_consent = false;
    assert_int_equal(str_set(&r.plan.to, NULL), ST_OK);
    runner_run(&r);
    assert_int_equal(plan_copy(&consent, &r.plan), ST_OK);
    consent.send_consent = true;
    assert_int_equal(str_set(&consent.to, "anna@example.org"), ST_OK);
    assert_int_equal(str_set(&consent.from, "bernd@example.net"), ST_OK);
    runner_step(&r, CHECK_SEND, &consent);
    runner_step(&r, CHECK_RELAY, NULL);
    assert_int_equal(runner_verdict(&r, CHECK_RELAY), VERDICT_ASK);
    runner_type(&r, "VRFY anna", "252");
    make_scenario(&r, "screen", &json, &scenario);
    assert_non_null(strstr(buf_str(&scenario),
                           "options --send --to user-2@example.org --from user-1@example.net"));
    assert_null(strstr(buf_str(&scenario), "VRFY"));
    assert_null(strstr(buf_str(&scenario), "relay-test"));
    told_open_whole(&again, &o, &storage, "screen", buf_str(&scenario));
    runner_run(&again);
    assert_true(runner_found(&again, "smtp.send.greylisted"));
    told_close(&again, &o, storage);
    plan_free(&consent);
    runner_close(&r);
    buf_free(&json);
    buf_free(&scenario);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_scenario_comes_again), cmocka_unit_test(test_nobody_is_named),
        cmocka_unit_test(test_providers_are_still_known),  cmocka_unit_test(test_wishes_by_hand),
        cmocka_unit_test(test_addresses_are_no_codes),     cmocka_unit_test(test_steps_of_the_screen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
