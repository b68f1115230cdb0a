/* What the reader of playbooks takes, and every sentence with which it refuses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guarded.h"
#include "playbook_file.h"

static bool known_step(const char *name)
{
    return strncmp(name, "step", 4) == 0;
}

static bool known_field(const char *name)
{
    return strcmp(name, "domain") == 0;
}

static bool known_fact(const char *name)
{
    return strcmp(name, "host") == 0;
}

static bool known_outcome(const char *pattern)
{
    return playbook_pattern(pattern, "found.this") || playbook_pattern(pattern, "step.one");
}

static const struct playbook_known known = {known_step, known_field, known_fact, known_outcome};

static struct playbook *parse(const char *text, struct error *error)
{
    struct playbook *book = NULL;
    (void)!playbook_parse(&book, "test", "test.txt", text, strlen(text), &known, error);
    return book;
}

static const char head[] = "symptom: It does not work\nabout: Nothing works.\n";
static const char tail[] = "[e]\nend: The end\nsay: That is all.\n";

static void a_whole_playbook_is_read(void **state)
{
    (void)state;
    struct error error = {.text = ""};
    struct playbook *book = parse(
        "\xef\xbb\xbf# a comment\r\n"
        "symptom: It does not\n   work\n"
        "about: Nothing works.\norder: 7\n\n"
        "[first]\n"
        "say: Now {host} is looked at,\n     and {{ is a brace.[[ Or {domain}.]]\n"
        "why: Because.\n"
        "run: step.one  step.two\n"
        "when found.this fail warn, step.* ok: goto ask\n"
        "explain: It was\n  found.\n"
        "otherwise: goto who\n"
        "[who]\n"
        "say: Somebody knows.\n"
        "ask: Who?\n"
        "choice all: Everybody\n"
        "choice one: One\n"
        "when one: goto ask\n"
        "otherwise: goto e\n"
        "skip: goto e\n"
        "[ask]\n"
        "say: A name.\n"
        "ask domain: Which one?\n"
        "otherwise: goto e\n"
        "[e]\n"
        "end: The end of {domain}\n"
        "cause: found.* fail\n"
        "who: third-party\n"
        "say: That is all.\n"
        "do server: This.\n"
        "do any: That.\n"
        "message: Please.\n",
        &error);
    if (book == NULL) {
        fail_msg("%s", error.text);
    }
    assert_string_equal(book->name, "test");
    assert_string_equal(book->symptom, "It does not work");
    assert_int_equal(book->order, 7);
    assert_int_equal(book->count, 4);
    const struct playbook_node *n = &book->nodes[0];
    assert_int_equal(n->kind, PLAYBOOK_RUN);
    assert_string_equal(n->say, "Now {host} is looked at, and {{ is a brace.[[ Or {domain}.]]");
    assert_string_equal(n->why, "Because.");
    assert_int_equal(n->step_count, 2);
    assert_string_equal(n->steps[1], "step.two");
    assert_int_equal(n->rule_count, 2);
    assert_string_equal(n->rules[0].when, "found.this fail warn, step.* ok");
    assert_string_equal(n->rules[0].explain, "It was found.");
    assert_int_equal(n->rules[0].to, 2);
    assert_null(n->rules[1].when);
    assert_int_equal(n->skip_to, 1); /* as otherwise */
    assert_int_equal(n->ahead, 4);
    assert_int_equal(book->nodes[1].skip_to, 3);
    assert_int_equal(book->nodes[1].choice_count, 2);
    assert_string_equal(book->nodes[2].field, "domain");
    n = &book->nodes[3];
    assert_int_equal(n->kind, PLAYBOOK_END);
    assert_true(n->names_who);
    assert_int_equal(n->who, WHO_THIRD_PARTY);
    assert_int_equal(n->todo_count, 2);
    assert_int_equal(n->todo[1].who, WHO_NOBODY);
    assert_string_equal(n->message, "Please.");
    assert_int_equal(n->ahead, 1);
    playbook_free(book);
}

/* Text behind `head`; the sentence that it has to be refused with. */
static const struct {
    const char *text, *sentence;
} broken[] = {
    {"[n]\nwrong\n", "test.txt:4: expected [node], say:"},
    {"[n]\nsymptom: again\n", "test.txt:4: expected [node], say:"},
    {"[n]\nsay more: x\n", "test.txt:4: expected [node], say:"},
    {"[n]\nchoice: x\n", "test.txt:4: expected [node], say:"},
    {"say: x\n", "test.txt:3: expected symptom:, about:, order:, [node]"},
    {"symptom: again\n", "test.txt:3: symptom: is there already"},
    {"order: many\n", "test.txt:3: expected a number from 1 to 99"},
    {"order: 0\n", "test.txt:3: expected a number from 1 to 99"},
    {"order: 1\norder: 2\n", "test.txt:4: order: is there already"},
    {"[n\n", "test.txt:3: expected ] at the end of the line"},
    {"[N 1]\n", "test.txt:3: expected a name of small letters"},
    {"[a234567890123456789012345678901234567890]\n", "test.txt:3: expected a name of small letters"},
    {"[e]\nend: x\nsay: y\n[e]\n", "test.txt:6: [e] is there already, line 3"},
    {"[n]\nsay:\n", "test.txt:4: expected text after say:"},
    {"[n]\nsay: x\nsay: y\n", "test.txt:5: say: is there already"},
    {"\n  x\n", "test.txt:4: expected a line before it that this one continues"},
    {"[n]\nrun: step.one\n  more\n", "test.txt:5: expected a line before it"},
    {"[n]\nrun:\n", "test.txt:4: expected the names of steps"},
    {"[n]\nrun: other\n", "test.txt:4: there is no step other"},
    {"[n]\nrun: step1 step2 step3 step4 step5 step6 step7 step8 step9\n",
     "test.txt:4: more than 8 steps"},
    {"[n]\nrun: step1\nask: x\n", "test.txt:5: [n] has its run:, ask: or end: already"},
    {"[n]\nend: x\nrun: step1\n", "test.txt:5: [n] has its run:, ask: or end: already"},
    {"[n]\nask shoe_size: x\n", "test.txt:4: nobody can be asked for shoe_size"},
    {"[n]\nask Domain: x\n", "test.txt:4: expected a name of small letters"},
    {"[n]\nchoice a: x\n", "test.txt:4: choice: has its place below ask:"},
    {"[n]\nask domain: x\nchoice a: x\n", "test.txt:5: choice: has its place below ask:"},
    {"[n]\nask: x\nchoice a: x\nchoice a: y\n", "test.txt:6: the choice a is there already"},
    {"[n]\nask: x\nchoice a: x\nchoice b: x\nchoice c: x\nchoice d: x\nchoice e: x\nchoice f: x\n"
     "choice g: x\nchoice h: x\nchoice i: x\nchoice j: x\n",
     "test.txt:14: more than 9 choices"},
    {"[n]\nwhen found.this: goto e\n", "test.txt:4: when: has its place below run:, ask:"},
    {"[n]\nend: x\notherwise: goto e\n", "test.txt:5: otherwise: has its place below run:, ask:"},
    {"[n]\nend: x\nskip: goto e\n", "test.txt:5: skip: has its place below run:, ask:"},
    {"[n]\nrun: step1\nwhen found.this: e\n", "test.txt:5: expected goto and the name of a node"},
    {"[n]\nrun: step1\nwhen found.this: gotoe\n", "test.txt:5: expected goto and the name of a node"},
    {"[n]\nrun: step1\nwhen found.this: goto E\n", "test.txt:5: expected goto and the name of a node"},
    {"[n]\nrun: step1\nwhen lost.*: goto e\n", "test.txt:5: nothing that is called lost.* exists"},
    {"[n]\nrun: step1\nwhen found.this, lost.it: goto e\n",
     "test.txt:5: nothing that is called lost.it exists"},
    {"[n]\nrun: step1\nwhen found.this,: goto e\n", "test.txt:5: expected PATTERN [VERDICT...]"},
    {"[n]\nrun: step1\nwhen found.this FAIL: goto e\n", "test.txt:5: expected PATTERN [VERDICT...]"},
    {"[n]\nrun: step1\notherwise: goto e\nwhen found.this: goto e\n",
     "test.txt:6: nothing gets here: otherwise: is the last rule of [n]"},
    {"[n]\nrun: step1\nexplain: x\n", "test.txt:5: expected a rule above that explain: belongs to"},
    {"[n]\nrun: step1\notherwise: goto e\nexplain: x\nexplain: y\n",
     "test.txt:7: explain: is there already"},
    {"[n]\nrun: step1\nskip: goto e\nskip: goto e\n", "test.txt:6: skip: is there already"},
    {"[n]\ncause: found.this\n", "test.txt:4: cause: has its place below end:"},
    {"[n]\nend: x\ncause: lost\n", "test.txt:5: nothing that is called lost exists"},
    {"[n]\nend: x\nwho: me\n", "test.txt:5: expected client, server, dns"},
    {"[n]\nrun: step1\nwho: dns\n", "test.txt:5: who: has its place below end:"},
    {"[n]\nend: x\ndo me: y\n", "test.txt:5: expected client, server, dns"},
    {"[n]\nrun: step1\ndo dns: y\n", "test.txt:5: do: has its place below end:"},
    {"[n]\nend: x\ndo any: y\ndo any: y\ndo any: y\ndo any: y\ndo any: y\ndo any: y\ndo any: y\n"
     "do any: y\ndo any: y\ndo any: y\ndo any: y\ndo any: y\ndo any: y\n",
     "test.txt:17: more than 12 steps in [n]"},
    {"[n]\nrun: step1\nmessage: y\n", "test.txt:5: message: has its place below end:"},
    {"[n]\nsay: {Host}\n", "test.txt:4: expected {name}; a brace itself is written {{"},
    {"[n]\nsay: {\n", "test.txt:4: expected {name}; a brace itself is written {{"},
    {"[n]\nsay: \x01\n", "test.txt:4: a control character is in it"},
    {"[n]\nsay: \xff\n", "test.txt:4: expected UTF-8"},
    {"", "test.txt:2: expected [node] before the end"},
    {"[n]\nsay: x\n", "test.txt:3: expected run:, ask:, end: in [n]"},
    {"[n]\nend: x\n", "test.txt:3: expected say: in [n]"},
    {"[n]\nsay: x\nask: y\nchoice a: z\notherwise: goto n\n", "test.txt:3: expected choice in [n]"},
    {"[n]\nsay: x\nrun: step1\n", "test.txt:3: expected otherwise: as the last rule of [n]"},
    {"[n]\nsay: x\nask domain: y\n", "test.txt:3: expected otherwise: as the last rule of [n]"},
    {"[n]\nsay: x\nrun: step1\notherwise: goto m\n", "test.txt:6: there is no node [m]"},
    {"[n]\nsay: x\nask: y\nchoice a: z\nchoice b: z\nwhen a: goto n\n",
     "test.txt:3: no rule of [n] takes the choice b"},
    {"[n]\nsay: x\nask: y\nchoice a: z\nchoice b: z\nwhen c: goto n\notherwise: goto n\n",
     "test.txt:8: [n] has no such choice"},
    {"[n]\nsay: {port}\nend: x\n", "test.txt:3: nothing is known as {port} in [n]"},
    {"[n]\nsay: [[x\nend: x\n", "test.txt:3: expected ]] for every [[ in [n]"},
    {"[n]\nend: x\nsay: y\n[m]\nend: x\nsay: y\n", "test.txt:6: nothing leads to [m]"},
    {"[n]\nsay: x\nask: y\nchoice a: z\nchoice b: z\notherwise: goto n\n",
     "test.txt:3: no way from [n] comes to an end"},
    {"[n]\nsay: x\nrun: step1\nwhen found.this: goto m\notherwise: goto e\n"
     "[m]\nsay: x\nrun: step1\nwhen found.this: goto n\notherwise: goto e\n"
     "[e]\nend: x\nsay: y\n",
     "test.txt:3: [n] leads back to itself without a question on the way"},
};

static void every_mistake_has_its_sentence(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(broken); i++) {
        struct error error = {.text = ""};
        char text[4096];
        snprintf(text, sizeof(text), "%s%s", head, broken[i].text);
        struct playbook *book = parse(text, &error);
        if (book != NULL) {
            fail_msg("was read, but should be refused with: %s", broken[i].sentence);
        }
        if (strncmp(error.text, broken[i].sentence, strlen(broken[i].sentence)) != 0) {
            fail_msg("says: %s\nnot:  %s", error.text, broken[i].sentence);
        }
    }
    struct error error = {.text = ""};
    assert_null(parse("about: x\n[n]\nend: x\nsay: y\n", &error));
    assert_string_equal(error.text, "test.txt:4: expected symptom: before the end");
    assert_null(parse("symptom: x\n[n]\nend: x\nsay: y\n", &error));
    assert_string_equal(error.text, "test.txt:4: expected about: before the end");
}

static void add(struct buf *b, const char *text)
{
    assert_int_equal(buf_add_str(b, text), ST_OK);
}

static void ceilings_are_kept(void **state)
{
    (void)state;
    struct error error = {.text = ""};
    struct buf b;
    buf_init(&b, 1u << 20);
    add(&b, head);
    for (int i = 0; i < PLAYBOOK_NODES_MAX + 1; i++) {
        assert_int_equal(buf_addf(&b, "[n%d]\nsay: x\nrun: step1\notherwise: goto n%d\n", i, i + 1),
                         ST_OK);
    }
    assert_null(parse(b.p, &error));
    assert_non_null(strstr(error.text, "more than 64 nodes"));
    buf_clear(&b);
    add(&b, head);
    add(&b, "[n]\nsay: x\nrun: step1\n");
    for (int i = 0; i < PLAYBOOK_RULES_MAX + 1; i++) {
        add(&b, "when found.this: goto e\n");
    }
    add(&b, tail);
    assert_null(parse(b.p, &error));
    assert_non_null(strstr(error.text, "more than 32 rules"));
    buf_clear(&b);
    add(&b, head);
    add(&b, "[n]\nsay: ");
    for (int i = 0; i < (int)PLAYBOOK_FIELD_MAX / 64; i++) {
        add(&b, "0123456789012345678901234567890123456789012345678901234567890\n ");
    }
    for (int i = 0; i < 10; i++) {
        add(&b, "0123456789012345678901234567890123456789012345678901234567890\n ");
    }
    assert_null(parse(b.p, &error));
    assert_non_null(strstr(error.text, "the text is over 8192 bytes"));
    buf_clear(&b);
    for (size_t i = 0; i <= PLAYBOOK_FIELD_MAX; i++) {
        add(&b, "x");
    }
    assert_null(parse(b.p, &error));
    assert_string_equal(error.text, "test.txt:1: the line is over 8192 bytes");
    buf_free(&b);
}

/* Cut anywhere, it is refused or whole, and nothing is read behind its end. */
static void a_piece_is_never_read_past(void **state)
{
    (void)state;
    char text[1024];
    snprintf(text, sizeof(text),
             "%s[n]\nsay: {host}[[x]] {{\nrun: step1\nwhen found.* fail,step.one: goto e\n"
             "explain: x\notherwise: goto e\nskip: goto e\n%sdo dns: x\n",
             head, tail);
    for (size_t len = 0; len <= strlen(text); len++) {
        struct guarded g = guarded_copy(text, len);
        struct playbook *book = NULL;
        struct error error = {.text = ""};
        enum status st = playbook_parse(&book, "cut", "cut.txt", g.p, len, &known, &error);
        assert_int_equal(st == ST_OK, book != NULL);
        assert_true(st == ST_OK || error.text[0] != '\0');
        playbook_free(book);
        guarded_free(&g);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_playbook_is_read),
        cmocka_unit_test(every_mistake_has_its_sentence),
        cmocka_unit_test(ceilings_are_kept),
        cmocka_unit_test(a_piece_is_never_read_past),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
