/* Walking a playbook: rules, words, back, skip, and where circles end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "escape.h"
#include "playbook_file.h"

static const char text[] = "symptom: It does not work\n"
                           "about: Nothing works.\n"
                           "[start]\n"
                           "say: Looks at {place}.\n"
                           "ask place: Where?\n"
                           "otherwise: goto look\n"
                           "[look]\n"
                           "say: Now.\n"
                           "run: one two\n"
                           "when a.broken, b.* fail warn: goto broken\n"
                           "explain: It is broken.\n"
                           "when one skipped: goto start\n"
                           "otherwise: goto again\n"
                           "[again]\n"
                           "say: Still nothing.\n"
                           "ask: Once more?\n"
                           "choice yes: Yes\n"
                           "choice no: No\n"
                           "when yes: goto look\n"
                           "otherwise: goto well\n"
                           "[broken]\n"
                           "end: Broken\n"
                           "say: At {place}.\n"
                           "[well]\n"
                           "end: Well\n"
                           "cause: c.*\n"
                           "say: Nothing is wrong.\n";

static struct playbook *parse(void)
{
    struct playbook *book = NULL;
    struct error error = {.text = ""};
    if (playbook_parse(&book, "test", "test.txt", text, strlen(text), NULL, &error) != ST_OK) {
        fail_msg("%s", error.text);
    }
    return book;
}

static void decide(struct playbook_walk *w, const char *id, const char *verdict)
{
    const struct playbook_outcome o = {id, verdict};
    assert_int_equal(playbook_decide(w, &o, 1), ST_OK);
}

static void at(const struct playbook_walk *w, const char *name)
{
    assert_string_equal(playbook_node(w)->name, name);
}

static void patterns(void **state)
{
    (void)state;
    static const struct {
        const char *pattern, *id;
        bool matches;
    } cases[] = {
        {"dns.mx.null", "dns.mx.null", true},  {"dns.mx.null", "dns.mx.nullx", false},
        {"dns.mx", "dns.mx.null", false},      {"dns.mx.*", "dns.mx.null", true},
        {"dns.mx.*", "dns.mx", false},         {"*", "x", true},
        {"*", "", true},                       {"*.null", "dns.mx.null", true},
        {"d*m*l", "dns.mx.null", true},        {"d*m*x", "dns.mx.null", false},
        {"*null*", "dns.mx.null", true},       {"", "", true},
        {"", "x", false},                      {"**", "x", true},
        {"a*b*c", "aXbXbXc", true},            {"a*bc", "abbbc", true},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        if (playbook_pattern(cases[i].pattern, cases[i].id) != cases[i].matches) {
            fail_msg("%s and %s", cases[i].pattern, cases[i].id);
        }
    }
    const struct playbook_outcome o[] = {{"a.x", "ok"}, {"b.x", "fail"}, {"b.y", "warn"}};
    assert_int_equal(playbook_match("b.*", o, 3), 1);
    assert_int_equal(playbook_match("b.* warn", o, 3), 2);
    assert_int_equal(playbook_match("b.* note skipped", o, 3), SIZE_MAX);
    assert_int_equal(playbook_match("b.* note warn", o, 3), 2);
    assert_int_equal(playbook_match("c.*, a.* fail, a.x  ok", o, 3), 0);
    /* A verdict is a whole word. */
    assert_int_equal(playbook_match("b.* fai", o, 3), SIZE_MAX);
    assert_int_equal(playbook_match("b.* failed", o, 3), SIZE_MAX);
    assert_int_equal(playbook_match("a.* fail,b.y", o, 3), 2);
    assert_int_equal(playbook_match("a.*", o, 0), SIZE_MAX);
}

static void rules_lead_on_and_back_leads_back(void **state)
{
    (void)state;
    struct playbook *book = parse();
    struct playbook_walk w;
    size_t about = 0;
    playbook_walk_begin(&w, book);
    at(&w, "start");
    assert_int_equal(playbook_place(&w, &about), 1);
    assert_int_equal(about, 4);
    assert_int_equal(playbook_go(&w), ST_INVALID); /* nothing was decided */
    assert_false(playbook_back(&w));
    decide(&w, "whatever", "ok");
    assert_int_equal(playbook_go(&w), ST_OK);
    at(&w, "look");
    decide(&w, "a.broken", "note");
    assert_string_equal(w.rule->explain, "It is broken.");
    assert_int_equal(playbook_go(&w), ST_OK);
    at(&w, "broken");
    assert_string_equal(playbook_cause(&w), "a.broken");
    assert_int_equal(playbook_place(&w, &about), 3);
    assert_int_equal(about, 3);
    assert_true(playbook_back(&w));
    at(&w, "look");
    assert_null(w.rule);
    decide(&w, "b.something", "ok"); /* not the verdict of the rule */
    assert_int_equal(playbook_go(&w), ST_OK);
    at(&w, "again");
    assert_true(playbook_back(&w));
    /* Of several outcomes it is the order of the rules that counts. */
    const struct playbook_outcome several[] = {{"one", "skipped"}, {"b.x", "warn"}};
    assert_int_equal(playbook_decide(&w, several, 2), ST_OK);
    assert_int_equal(playbook_go(&w), ST_OK);
    at(&w, "broken");
    assert_string_equal(playbook_cause(&w), "b.x");
    playbook_restart(&w);
    at(&w, "start");
    assert_int_equal(playbook_place(&w, &about), 1);
    playbook_walk_free(&w);
    playbook_free(book);
}

static void skipping_goes_the_usual_way(void **state)
{
    (void)state;
    struct playbook *book = parse();
    struct playbook_walk w;
    playbook_walk_begin(&w, book);
    assert_int_equal(playbook_skip(&w), ST_OK);
    at(&w, "look");
    assert_int_equal(playbook_skip(&w), ST_OK);
    at(&w, "again");
    assert_int_equal(playbook_skip(&w), ST_OK);
    at(&w, "well");
    assert_string_equal(playbook_cause(&w), "c.*"); /* its own goes before what led here */
    assert_int_equal(playbook_skip(&w), ST_INVALID);
    playbook_walk_free(&w);
    playbook_free(book);
}

static void a_circle_ends(void **state)
{
    (void)state;
    struct playbook *book = parse();
    struct playbook_walk w;
    playbook_walk_begin(&w, book);
    assert_int_equal(playbook_skip(&w), ST_OK);
    for (int i = 1; i < PLAYBOOK_VISITS_MAX; i++) {
        decide(&w, "nothing", "ok");
        assert_int_equal(playbook_go(&w), ST_OK);
        decide(&w, "yes", "");
        assert_int_equal(playbook_go(&w), ST_OK);
        at(&w, "look");
    }
    decide(&w, "nothing", "ok");
    assert_int_equal(playbook_go(&w), ST_OK);
    decide(&w, "yes", "");
    assert_int_equal(playbook_go(&w), ST_LIMIT);
    at(&w, "again"); /* and there is another way */
    decide(&w, "no", "");
    assert_int_equal(playbook_go(&w), ST_OK);
    at(&w, "well");
    /* Going back takes the visits back. */
    assert_true(playbook_back(&w));
    assert_true(playbook_back(&w));
    assert_true(playbook_back(&w));
    at(&w, "again");
    decide(&w, "yes", "");
    assert_int_equal(playbook_go(&w), ST_OK);
    playbook_walk_free(&w);
    playbook_free(book);
}

static void words_are_filled_in_and_escaped(void **state)
{
    (void)state;
    struct playbook *book = parse();
    struct playbook_walk w;
    struct buf out;
    playbook_walk_begin(&w, book);
    buf_init(&out, 4096);
    assert_int_equal(playbook_fill(&w, playbook_node(&w)->say, 0, &out), ST_OK);
    assert_string_equal(buf_str(&out), "Looks at ?.");
    assert_int_equal(playbook_set_fact(&w, "place", "a\x1b[2J\xe2\x80\xae{place}\xc3\xa4"), ST_OK);
    buf_clear(&out);
    assert_int_equal(playbook_fill(&w, playbook_node(&w)->say, 0, &out), ST_OK);
    assert_string_equal(buf_str(&out), "Looks at a\\x1b[2J\\u{202E}{place}\xc3\xa4.");
    buf_clear(&out);
    assert_int_equal(playbook_fill(&w, playbook_node(&w)->say, ESCAPE_ASCII, &out), ST_OK);
    assert_string_equal(buf_str(&out), "Looks at a\\x1b[2J\\u{202E}{place}\\u{00E4}.");
    buf_clear(&out);
    assert_int_equal(playbook_fill(&w, "[[at {place}]]{{[[x {nothing}]]", 0, &out), ST_OK);
    assert_string_equal(buf_str(&out), "at a\\x1b[2J\\u{202E}{place}\xc3\xa4{");
    assert_int_equal(playbook_set_fact(&w, "place", ""), ST_OK);
    assert_null(playbook_fact(&w, "place"));
    for (int i = 0; i < PLAYBOOK_FACTS_MAX - 1; i++) {
        char name[16];
        snprintf(name, sizeof(name), "n%d", i);
        assert_int_equal(playbook_set_fact(&w, name, "x"), ST_OK);
    }
    assert_int_equal(playbook_set_fact(&w, "one_more", "x"), ST_LIMIT);
    assert_int_equal(playbook_set_fact(&w, "n3", "y"), ST_OK);
    assert_string_equal(playbook_fact(&w, "n3"), "y");
    buf_free(&out);
    playbook_walk_free(&w);
    playbook_free(book);
}

static void put(const char *dir, const char *name, const char *content)
{
    char path[300];
    snprintf(path, sizeof(path), "%s/%s", dir, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(content, f);
    assert_int_equal(fclose(f), 0);
}

static void own_files_win_and_join(void **state)
{
    (void)state;
    char dir[] = "/tmp/playbooks-XXXXXX", command[300];
    static const char one[] = "symptom: %s\nabout: x\norder: 1\n[e]\nend: x\nsay: y\n";
    char content[200];
    struct error error = {.text = ""};
    struct playbooks *books = NULL;
    assert_non_null(mkdtemp(dir));
    snprintf(command, sizeof(command), "mkdir -p %s/playbooks/en %s/playbooks/xx", dir, dir);
    assert_int_equal(system(command), 0);
    assert_int_equal(playbooks_load(&books, NULL, "en", NULL, &error), ST_OK);
    size_t built_in = playbooks_count(books);
    assert_true(built_in >= 7);
    assert_string_equal(playbooks_at(books, 0)->name, "receive");
    assert_null(playbooks_at(books, built_in));
    playbooks_free(books);

    snprintf(content, sizeof(content), one, "Ours");
    put(dir, "playbooks/en/receive.txt", content);
    put(dir, "playbooks/en/own.txt", content);
    put(dir, "playbooks/en/README", "no playbook");
    snprintf(content, sizeof(content), one, "Theirs");
    put(dir, "playbooks/xx/own.txt", content);
    assert_int_equal(playbooks_load(&books, dir, "xx_YY.UTF-8", NULL, &error), ST_OK);
    assert_int_equal(playbooks_count(books), built_in + 1);
    assert_string_equal(playbooks_find(books, "receive")->symptom, "Ours");
    assert_string_equal(playbooks_find(books, "own")->symptom, "Theirs");
    assert_string_equal(playbooks_find(books, "spam")->symptom, "It lands in spam");
    assert_null(playbooks_find(books, "README"));
    playbooks_free(books);
    assert_int_equal(playbooks_load(&books, dir, "../xx", NULL, &error), ST_OK);
    assert_string_equal(playbooks_find(books, "own")->symptom, "Ours");
    playbooks_free(books);

    put(dir, "playbooks/en/own.txt", "symptom x\n");
    assert_int_equal(playbooks_load(&books, dir, "en", NULL, &error), ST_INVALID);
    assert_null(books);
    char expected[400];
    snprintf(expected, sizeof(expected), "%s/playbooks/en/own.txt:1: expected symptom:", dir);
    assert_memory_equal(error.text, expected, strlen(expected));
    snprintf(command, sizeof(command), "rm -rf %s", dir);
    assert_int_equal(system(command), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(patterns),
        cmocka_unit_test(rules_lead_on_and_back_leads_back),
        cmocka_unit_test(skipping_goes_the_usual_way),
        cmocka_unit_test(a_circle_ends),
        cmocka_unit_test(words_are_filled_in_and_escaped),
        cmocka_unit_test(own_files_win_and_join),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
