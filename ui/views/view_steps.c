#include <stdio.h>
#include <string.h>

#include "escape.h"
#include "text.h"
#include "views.h"

#define WORD_FROM_END 14 /* where the word stands beside a time */

struct state_look {
    const char *ascii, *utf8, *word;
    enum role mark, text;
};

/* Three channels for every state: a mark, a word, and an attribute. The words are four letters, so that
   columns stay; they are names of states, like protocol words, and the same in every language. */
static const struct state_look looks[] = {
    [VERDICT_PENDING] = {"[ ]", "[ ]", "todo", ROLE_MARK_TODO, ROLE_DIM},
    [VERDICT_RUNNING] = {"[|]", "[|]", "RUN", ROLE_MARK_RUN, ROLE_BOLD},
    [VERDICT_SKIPPED] = {"[-]", "[-]", "SKIP", ROLE_MARK_SKIP, ROLE_DIM},
    [VERDICT_ASK] = {"[?]", "[?]", "ASK", ROLE_MARK_ASK, ROLE_TEXT},
    [VERDICT_OK] = {"[+]", "[\u2713]", "OK", ROLE_MARK_OK, ROLE_TEXT},
    [VERDICT_NOTE] = {"[i]", "[i]", "NOTE", ROLE_MARK_OK, ROLE_TEXT},
    [VERDICT_STOPPED] = {"[#]", "[#]", "STOP", ROLE_MARK_STOP, ROLE_TEXT},
    [VERDICT_INCONCLUSIVE] = {"[~]", "[~]", "OPEN", ROLE_MARK_WARN, ROLE_BOLD},
    [VERDICT_WARN] = {"[!]", "[!]", "WARN", ROLE_MARK_WARN, ROLE_BOLD},
    [VERDICT_FAIL] = {"[x]", "[\u2717]", "FAIL", ROLE_MARK_FAIL, ROLE_BOLD},
};

static const char *const spins[] = {"[|]", "[/]", "[-]", "[\\]"};

const char *state_mark(enum verdict verdict, bool ascii, unsigned spin)
{
    if (verdict == VERDICT_RUNNING) {
        return spins[spin % ARRAY_LEN(spins)];
    }
    return ascii ? looks[verdict].ascii : looks[verdict].utf8;
}

const char *state_word(enum verdict verdict)
{
    return looks[verdict].word;
}

enum role state_role(enum verdict verdict)
{
    return looks[verdict].mark;
}

enum role state_word_role(enum verdict verdict)
{
    return looks[verdict].text;
}

void duration_text(int64_t us, char *out, size_t size)
{
    int64_t ms = us / US_PER_MS;
    if (ms < 1000) {
        snprintf(out, size, "%dms", (int)ms);
    } else if (ms < 60000) {
        snprintf(out, size, "%d.%ds", (int)(ms / 1000), (int)(ms % 1000 / 100));
    } else {
        snprintf(out, size, "%d:%02d", (int)(ms / 60000), (int)(ms / 1000 % 60));
    }
}

int view_title_columns(void)
{
    size_t most = 0;
    for (int i = 0; i < CHECK_COUNT; i++) {
        const char *title = _(checks[i].title);
        size_t columns = escape_columns(title, strlen(title), 0);
        most = columns > most ? columns : most;
    }
    return (int)most;
}

/* What stands at the right end of a row: the time of what went well, else the word. */
static void right_text(const struct app *a, const struct record_step *step, char *out, size_t size)
{
    switch (step->verdict) {
    case VERDICT_OK:
        duration_text(step->elapsed_us, out, size);
        break;
    case VERDICT_RUNNING:
        duration_text(a->now_us - a->step_seen_us, out, size);
        break;
    default:
        str_copy(out, size, state_word(step->verdict));
        break;
    }
}

static void draw_step(struct app *a, struct canvas *c, struct rect row, int i, bool focus)
{
    const struct record_step *step = &a->record.steps[i];
    bool cursor = i == (int)a->step;
    int x = row.x;
    canvas_str(c, row, x, row.y, ROLE_TEXT, cursor ? ">" : " ");
    const char *mark = state_mark(step->verdict, c->ascii, a->spin);
    canvas_str(c, row, x + 1, row.y, state_role(step->verdict), mark);
    if (cursor) {
        c->cursor_x = focus ? x + 1 : c->cursor_x;
        c->cursor_y = focus ? row.y : c->cursor_y;
    }
    enum role role = state_word_role(step->verdict);
    char right[32];
    right_text(a, step, right, sizeof(right));
    int right_w = (int)strlen(right);
    bool wide = row.w >= LAYOUT_STEPS_WIDE;
    bool timed = step->verdict == VERDICT_OK || step->verdict == VERDICT_RUNNING;
    int word_w = wide && timed ? WORD_FROM_END : right_w;
    struct rect left = {row.x, row.y, row.w - word_w - 1, 1};
    x += 5;
    if (wide) {
        x += canvas_printf(c, left, x, row.y, ROLE_TEXT, "%2d ", i + 1);
    }
    canvas_label(c, left, x, row.y, role, _(checks[i].title));
    if (wide && timed) {
        canvas_str(c, row, row.x + row.w - WORD_FROM_END, row.y, role, state_word(step->verdict));
    }
    canvas_str(c, row, row.x + row.w - right_w, row.y, role, right);
    if (cursor) {
        struct rect words = {row.x + 4, row.y, row.w - 4, 1};
        canvas_role(c, words, focus ? ROLE_CURSOR_ROW : ROLE_CURSOR_ROW_DIM);
    }
}

/* Below the steps of a tall pane: which hosts take the mail. */
static void draw_paths(struct app *a, struct canvas *c, struct rect area)
{
    if (a->record.path_count < 2 || area.h < 4) {
        return;
    }
    canvas_str(c, area, area.x + 1, area.y + 1, ROLE_DIM, _("Paths tried"));
    int y = area.y + 2;
    for (size_t i = 1; i < a->record.path_count && y < area.y + area.h; i++, y++) {
        const struct facts *f = a->record.paths[i];
        if (f == NULL) {
            continue;
        }
        char address[NET_ADDRESS_TEXT];
        net_address_format_port(&f->address, address, sizeof(address));
        int x = area.x + 1;
        x += canvas_str(c, area, x, y, ROLE_TEXT, f->connected ? "[+] " : "[ ] ");
        x += canvas_str(c, area, x, y, ROLE_TEXT, f->mx != NULL ? f->mx : "");
        canvas_printf(c, area, x + 1, y, ROLE_TEXT, "%s", address);
    }
}

int view_steps_top(const struct app *a, int rows)
{
    int top = (int)a->step - rows / 2;
    int most = CHECK_COUNT > rows ? CHECK_COUNT - rows : 0;
    return top < 0 ? 0 : top > most ? most : top;
}

void view_steps(struct app *a, struct canvas *c, struct rect body)
{
    bool focus = a->wish.focus == PANE_STEPS && a->dialog_count == 0 && a->ask == ASK_NOTHING;
    int top = view_steps_top(a, body.h);
    for (int i = 0; i < body.h && top + i < CHECK_COUNT; i++) {
        struct rect row = {body.x, body.y + i, body.w, 1};
        draw_step(a, c, row, top + i, focus);
    }
    struct rect rest = {body.x, body.y + CHECK_COUNT, body.w, body.h - CHECK_COUNT};
    if (body.w >= 38) {
        draw_paths(a, c, rest);
    }
}
