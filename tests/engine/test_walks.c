/* The guided mode without a screen: every playbook is walked through the practice network to ends that differ. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "guided.h"
#include "options.h"
#include "runner.h"

#define STEPS_MAX 200 /* a walk that takes longer goes in circles */

/*
 * `answers` is "node=answer; ...", used in this order. A choice is answered by its name, a field by text, "." is
 * what stands in it already; "skip" goes on without doing what the node is about.
 */
struct walk {
    const char *playbook, *scenario, *answers, *end;
};

static const struct walk walks[] = {
#include "walks.inc"
};

struct walker {
    struct runner r;
    struct options o;
    char *storage;
    struct guided g;
    struct guide *guide;
    const struct walk *walk;
    const char *rest; /* of the answers */
    char trail[2048];
    bool lost;
};

static void open_walk(struct walker *w, const struct walk *walk, const struct playbook *book)
{
    struct error error = {.text = ""};
    memset(w, 0, sizeof(*w));
    w->walk = walk;
    w->rest = walk->answers;
    runner_open(&w->r, walk->scenario, PRACTICE_INSTANT);
    options_init(&w->o);
    w->o.target = w->r.info.target;
    if (options_parse_text(&w->o, w->r.info.options, &w->storage, &error) != ST_OK ||
        options_finish(&w->o, &error) != ST_OK || options_password(&w->o, &error) != ST_OK) {
        fail_msg("%s: %s", walk->scenario, error.text);
    }
    plan_free(&w->r.plan);
    assert_int_equal(plan_copy(&w->r.plan, &w->o.plan), ST_OK);
    w->r.plan.stay = true;
    /* Whoever gets to such a step says yes. */
    w->r.plan.relay_consent = w->r.plan.send_consent = true;
    assert_int_equal(record_init(&w->r.record, 0), ST_OK);
    assert_int_equal(guided_begin(&w->g, book, &w->r.plan, &w->r.record), ST_OK);
    assert_int_equal(guide_load(&w->guide, NULL, "en", &error), ST_OK);
}

static void close_walk(struct walker *w)
{
    guide_free(w->guide);
    guided_free(&w->g);
    runner_close(&w->r);
    options_free(&w->o);
    free(w->storage);
}

/* The other walks are still of interest, so the test goes on. */
static void lost(struct walker *w, const char *why)
{
    print_error("%s in %s: at [%s]: %s\nthe way was%s\n%s", w->walk->playbook, w->walk->scenario,
                guided_node(&w->g)->name, why, w->trail, buf_str(&w->r.log));
    w->lost = true;
}

/* The next answer when it is for this node. */
static bool next_answer(struct walker *w, char *out, size_t size)
{
    const char *name = guided_node(&w->g)->name;
    const char *p = w->rest + strspn(w->rest, "; ");
    size_t len = strlen(name);
    if (strncmp(p, name, len) != 0 || p[len] != '=') {
        return false;
    }
    p += len + 1;
    size_t n = strcspn(p, ";");
    assert_true(n < size);
    memcpy(out, p, n);
    out[n] = '\0';
    w->rest = p + n;
    return true;
}

static void choose(struct walker *w, const char *answer)
{
    const struct playbook_node *n = guided_node(&w->g);
    struct error error = {.text = ""};
    size_t i = 0;
    while (i < n->choice_count && strcmp(n->choices[i].name, answer) != 0) {
        i++;
    }
    if (guided_choose(&w->g, i, &w->r.plan, &w->r.record, &error) != ST_OK) {
        lost(w, error.text);
    }
}

static void answer_field(struct walker *w, const char *answer)
{
    struct error error = {.text = ""};
    struct buf preset;
    buf_init(&preset, 1024);
    if (strcmp(answer, ".") == 0) {
        assert_int_equal(guided_preset(&w->g, &w->r.plan, &preset), ST_OK);
        answer = buf_str(&preset);
    }
    if (guided_answer(&w->g, answer, &w->r.plan, &w->r.record, &error) != ST_OK) {
        lost(w, error.text);
    }
    buf_free(&preset);
}

/* As the console does: a run of its own for a new target, else steps of the run that there is. */
static void run_node(struct walker *w)
{
    uint64_t mask = guided_wants(&w->g, &w->r.record);
    bool fresh = w->g.fresh;
    if (mask == 0) {
        guided_take_known(&w->g, &w->r.plan, &w->r.record);
        return;
    }
    guided_started(&w->g, mask);
    if (fresh) {
        w->r.plan.only = mask;
        runner_start(&w->r);
        w->r.plan.only = 0;
    } else {
        assert_int_equal(engine_steps(w->r.engine, mask, &w->r.plan), ST_OK);
    }
    runner_until_done(&w->r);
    if (!guided_rested(&w->g, &w->r.plan, &w->r.record)) {
        lost(w, "the steps have not come to a result");
    }
}

static void one_step(struct walker *w)
{
    const struct playbook_node *n = guided_node(&w->g);
    struct error error = {.text = ""};
    char answer[1024];
    if (w->g.phase == GUIDED_OUTCOME) {
        if (guided_go(&w->g, &w->r.plan, &w->r.record, &error) != ST_OK) {
            lost(w, error.text);
        }
        return;
    }
    size_t at = strlen(w->trail);
    snprintf(w->trail + at, sizeof(w->trail) - at, " %s", n->name);
    bool answered = next_answer(w, answer, sizeof(answer));
    if (answered && strcmp(answer, "skip") == 0) {
        if (guided_skip(&w->g, &w->r.plan, &w->r.record, &error) != ST_OK) {
            lost(w, error.text);
        }
        return;
    }
    switch (n->kind) {
    case PLAYBOOK_RUN:
        if (answered) {
            lost(w, "an answer where none is asked for");
        }
        run_node(w);
        break;
    case PLAYBOOK_CHOICE:
        if (!answered) {
            lost(w, "the table has no answer");
        }
        choose(w, answer);
        break;
    case PLAYBOOK_FIELD:
        answer_field(w, answered ? answer : ".");
        break;
    default:
        lost(w, "a node of no kind");
    }
}

/* Every end can be shown, and says who it is for and what is to be done. */
static void look_at_page(struct walker *w)
{
    struct report_page page;
    const struct report_options o = {.format = REPORT_TICKET,
                                     .plan = &w->r.plan,
                                     .guide = w->guide,
                                     .english_guide = w->guide};
    assert_int_equal(guided_page(&w->g, &w->r.record, &o, &page), ST_OK);
    if (strchr(page.title, '?') != NULL || strchr(page.summary, '?') != NULL) {
        lost(w, "a word of the page is not known");
    }
    if (page.step_count == 0 && page.who != WHO_NOBODY) {
        lost(w, "the page does not say what is to be done");
    }
    assert_non_null(strstr(page.message, "Subject:"));
    report_page_free(&page);
}

static bool walk_to_end(const struct walk *walk, const struct playbook *book)
{
    struct walker w;
    open_walk(&w, walk, book);
    for (int i = 0; i < STEPS_MAX && w.g.phase != GUIDED_END && !w.lost; i++) {
        one_step(&w);
    }
    if (w.g.phase != GUIDED_END) {
        lost(&w, "no end came");
        close_walk(&w);
        return false;
    }
    bool right = strcmp(guided_node(&w.g)->name, walk->end) == 0;
    if (!right) {
        print_error("%s in %s came to [%s], not [%s]; the way was%s\n", walk->playbook,
                    walk->scenario, guided_node(&w.g)->name, walk->end, w.trail);
    }
    if (w.rest[strspn(w.rest, "; ")] != '\0') {
        print_error("%s in %s: not asked for: %s\n", walk->playbook, walk->scenario, w.rest);
        right = false;
    }
    look_at_page(&w);
    close_walk(&w);
    return right && !w.lost;
}

static struct playbooks *load(void)
{
    struct playbooks *books = NULL;
    struct error error = {.text = ""};
    if (playbooks_load(&books, NULL, "en", &guided_known, &error) != ST_OK) {
        fail_msg("%s", error.text);
    }
    return books;
}

static void test_every_walk_comes_to_its_end(void **state)
{
    (void)state;
    struct playbooks *books = load();
    size_t right = 0;
    for (size_t i = 0; i < ARRAY_LEN(walks); i++) {
        const struct playbook *book = playbooks_find(books, walks[i].playbook);
        assert_non_null(book);
        right += walk_to_end(&walks[i], book) ? 1 : 0;
    }
    print_message("%zu of %zu walks\n", right, ARRAY_LEN(walks));
    playbooks_free(books);
    assert_int_equal(right, ARRAY_LEN(walks));
}

static bool has_walk(const struct playbook *book, const char *end)
{
    for (size_t i = 0; i < ARRAY_LEN(walks); i++) {
        if (strcmp(walks[i].playbook, book->name) == 0 && strcmp(walks[i].end, end) == 0) {
            return true;
        }
    }
    return false;
}

static void test_every_playbook_has_ends_that_differ(void **state)
{
    (void)state;
    struct playbooks *books = load();
    size_t all = 0, walked = 0;
    for (size_t b = 0; b < playbooks_count(books); b++) {
        const struct playbook *book = playbooks_at(books, b);
        size_t ends = 0, found = 0;
        for (size_t i = 0; i < book->count; i++) {
            bool end = book->nodes[i].kind == PLAYBOOK_END;
            bool walk = end && has_walk(book, book->nodes[i].name);
            ends += end ? 1 : 0;
            found += walk ? 1 : 0;
            if (end && !walk) {
                print_message("  no walk comes to [%s] of %s\n", book->nodes[i].name, book->name);
            }
        }
        if (found < 2) {
            print_error("%s: %zu of %zu ends are walked to\n", book->name, found, ends);
        }
        assert_true(found >= 2);
        all += ends;
        walked += found;
    }
    print_message("%zu of %zu ends\n", walked, all);
    playbooks_free(books);
    /* What is left depends on this machine: a firewall of its own, a family that it does not have. */
    assert_true(10 * walked >= 9 * all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_walk_comes_to_its_end),
        cmocka_unit_test(test_every_playbook_has_ends_that_differ),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
