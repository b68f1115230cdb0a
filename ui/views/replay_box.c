#include "replay_box.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base64.h"
#include "boxes.h"
#include "escape.h"
#include "raw_text.h"
#include "readfile.h"
#include "text.h"
#include "views.h"

#define HEIGHT_LEAST 9
#define PANES_LEAST 10 /* rows that the panes need */
#define NUMBER_COLUMNS 5
#define EXPECT_COLUMNS 12
#define STEP_SHOWN 400

enum status replay_box_init(struct replay_box *b)
{
    memset(b, 0, sizeof(*b));
    return lineedit_init(&b->answer, LINEEDIT_MAX, true);
}

void replay_box_free(struct replay_box *b)
{
    script_free(b->script);
    lineedit_free(&b->answer);
    memset(b, 0, sizeof(*b));
}

void replay_open_file(struct app *a)
{
    if (a->hand.replay.script != NULL && a->record.replay.state != REPLAY_IDLE &&
        a->record.replay.state != REPLAY_DONE) {
        replay_open(a);
        return;
    }
    struct dialog *d = dialog_push(a, DIALOG_SCRIPT_FILE);
    if (d == NULL) {
        return;
    }
    struct form *f = &d->form;
    form_init(f, _("Play a saved conversation"));
    form_text(f, F_NAME, _("File name"), "");
    form_note(f, "%s",
              _("A report that this program saved (text, Markdown, JSON), or a script: one "
                "command a line, \"expect 250\" below it. It is played on a new "
                "connection, step by step."));
    form_button(f, B_GO, _("Read"));
    form_button(f, B_NO, _("Cancel"));
    form_focus(f, F_NAME);
}

void press_script_file(struct app *a, struct dialog *d, int pressed)
{
    char path[4096];
    if (pressed == B_NO) {
        dialog_close(a);
        return;
    }
    form_clear_errors(&d->form);
    str_copy(path, sizeof(path), form_value(&d->form, F_NAME));
    a->status_error = false;
    replay_choose(a, path);
    if (dialog_top(a) == d && a->status_error) {
        form_error(&d->form, F_NAME, a->status);
    }
}

static void play(struct app *a)
{
    struct replay_box *b = &a->hand.replay;
    if (a->plan.domain == NULL && a->plan.host == NULL) {
        app_action(a, ACTION_TARGET);
        return;
    }
    if (a->engine == NULL && !app_connect_engine(a, a->options->scenario)) {
        return;
    }
    if (engine_replay(a->engine, &a->plan, b->script, true) != ST_OK) {
        app_say(a, true, "%s", _("The engine did not take the command."));
        return;
    }
    app_adopt_run(a);
    lineedit_commit(&b->answer, false);
    a->session_wanted = true;
    a->saved = false;
    a->status[0] = '\0';
    tview_follow(a->tview, &a->record, true);
    replay_open(a);
}

/* What the script does on the other side, in words. */
static void say_needs(struct form *f, unsigned needs)
{
    static const struct {
        unsigned bit;
        const char *text;
    } sentences[] = {
        {SCRIPT_ENVELOPE, N_("  names senders and recipients (MAIL, RCPT)")},
        {SCRIPT_MESSAGE, N_("  SENDS A MESSAGE (DATA, BDAT)")},
        {SCRIPT_LOGIN, N_("  logs in (AUTH)")},
        {SCRIPT_ASKING, N_("  asks for addresses (VRFY, EXPN)")},
        {SCRIPT_GAPS, N_("  has lines that were hidden; you are asked for them")},
    };
    for (size_t i = 0; i < ARRAY_LEN(sentences); i++) {
        if ((needs & sentences[i].bit) != 0) {
            form_note(f, "%s", _(sentences[i].text));
        }
    }
}

static void ask_consent(struct app *a, unsigned needs)
{
    struct dialog *d = dialog_push(a, DIALOG_SCRIPT);
    char name[200];
    if (d == NULL) {
        return;
    }
    struct form *f = &d->form;
    const struct replay_box *b = &a->hand.replay;
    escape_copy(name, sizeof(name), b->name, strlen(b->name), 0);
    form_init(f, _("Play this script: please confirm"));
    form_note(f, Q_("%s, %lu step:", "%s, %lu steps:", (unsigned long)b->script->count), name,
              (unsigned long)b->script->count);
    say_needs(f, needs);
    form_note(f, "%s",
              _("It goes to the server that this run is about, on a new connection, and "
                "stops before each step."));
    form_button(f, B_NO, _("No"));
    form_button(f, B_GO, _("Play"));
    form_focus(f, B_NO);
}

void press_script(struct app *a, struct dialog *d, int pressed)
{
    (void)d;
    dialog_close(a);
    if (pressed == B_GO) {
        play(a);
    }
}

void replay_choose(struct app *a, const char *path)
{
    struct replay_box *b = &a->hand.replay;
    struct script *script = NULL;
    struct buf text;
    struct error error = {.text = ""};
    const char *slash = strrchr(path, '/');
    const char *name = slash != NULL ? slash + 1 : path;
    if (app_busy(a)) {
        app_say(a, true, "%s", _("A step is running; F8 stops it."));
        return;
    }
    buf_init(&text, SCRIPT_BYTES_MAX);
    enum status st = readfile(path, &text, &error);
    if (st == ST_OK) {
        st = script_read(name, buf_str(&text), text.len, &script, &error);
    }
    buf_free(&text);
    if (st != ST_OK) {
        app_say(a, true, "%s", error.text);
        return;
    }
    unsigned needs = script_needs(script);
    if (a->plan.read_only && (needs & ~SCRIPT_GAPS) != 0) {
        script_free(script);
        app_say(a, true, "%s",
                _("--read-only: this run plays no script that logs in or names "
                  "addresses."));
        return;
    }
    script_free(b->script);
    b->script = script;
    b->top = 0;
    str_copy(b->name, sizeof(b->name), name);
    if (dialog_top(a) != NULL && dialog_top(a)->kind == DIALOG_SCRIPT_FILE) {
        dialog_close(a);
    }
    if (needs != 0) {
        ask_consent(a, needs);
    } else {
        play(a);
    }
}

void replay_open(struct app *a)
{
    for (size_t i = 0; i < a->dialog_count; i++) {
        if (a->dialogs[i].kind == DIALOG_REPLAY) {
            return;
        }
    }
    a->wish.focus = PANE_TRANSCRIPT; /* what is answered is seen above the box */
    (void)dialog_push(a, DIALOG_REPLAY);
}

static bool is_asking(const struct app *a)
{
    return a->record.replay.state == REPLAY_ASKING;
}

/* The step that the engine told of last. */
static const struct script_step *current_step(const struct app *a)
{
    const struct script *s = a->hand.replay.script;
    uint32_t step = a->record.replay.step;
    return s != NULL && step > 0 && step <= s->count ? &s->steps[step - 1] : NULL;
}

/* What of a hidden line may be seen goes before what is typed: "AUTH PLAIN ". */
static size_t seen_part(const struct script_step *step)
{
    static const char gap[] = "<hidden ";
    const char *at = step->len > 0 ? memmem(step->text, step->len, gap, sizeof(gap) - 1) : NULL;
    return at != NULL ? (size_t)(at - step->text) : step->len;
}

static void send_answer(struct app *a)
{
    struct replay_box *b = &a->hand.replay;
    const struct script_step *step = current_step(a);
    struct buf line;
    if (step == NULL) {
        return;
    }
    buf_init(&line, 3 * LINEEDIT_MAX);
    enum status st = buf_add(&line, step->text, seen_part(step));
    if (st == ST_OK && b->encode) {
        st = base64_encode(&line, lineedit_text(&b->answer), b->answer.len);
    } else if (st == ST_OK) {
        st = buf_add(&line, lineedit_text(&b->answer), b->answer.len);
    }
    if (st != ST_OK || engine_type(a->engine, buf_str(&line), line.len) != ST_OK) {
        app_say(a, true, "%s", _("The line could not be handed to the connection. It is kept."));
    } else {
        lineedit_commit(&b->answer, false);
    }
    buf_wipe(&line);
}

static void go(struct app *a, bool one_step)
{
    if (app_busy(a)) {
        return;
    }
    if (a->record.replay.state == REPLAY_DONE || a->record.replay.state == REPLAY_IDLE) {
        app_say(a, false, "%s", _("All steps were played. r plays them again."));
        return;
    }
    if (engine_replay_go(a->engine, one_step) != ST_OK) {
        app_say(a, true, "%s", _("The engine did not take the command."));
    }
}

static void answer_key(struct app *a, uint32_t key)
{
    struct replay_box *b = &a->hand.replay;
    if (key == UKEY_TAB) {
        b->encode = !b->encode;
        return;
    }
    switch (lineedit_key(&b->answer, key)) {
    case EDIT_ENTER:
        send_answer(a);
        break;
    case EDIT_CANCEL:
        dialog_close(a);
        break;
    default:
        break;
    }
}

void replay_key(struct app *a, struct dialog *d, uint32_t key)
{
    struct replay_box *b = &a->hand.replay;
    (void)d;
    if (is_asking(a)) {
        answer_key(a, key);
        return;
    }
    switch (key) {
    case UKEY_ENTER:
        go(a, true);
        break;
    case 'a':
        go(a, false);
        break;
    case 'r':
        if (!app_busy(a)) {
            dialog_close(a);
            play(a);
        }
        break;
    case 's':
        if (engine_replay_stop(a->engine) != ST_OK) {
            app_say(a, true, "%s", _("The engine did not take the command."));
        }
        break;
    case UKEY_UP:
    case 'k':
        b->top -= b->top > 0 ? 1 : 0;
        break;
    case UKEY_DOWN:
    case 'j':
        b->top++;
        break;
    case UKEY_ESC:
    case 'q':
    case KEY_CTRL('G'):
        dialog_close(a);
        app_say(a, false, "%s", _("P or :replay shows the script again."));
        break;
    default:
        break;
    }
}

void replay_paste(struct app *a, const char *p, size_t len)
{
    if (is_asking(a) && lineedit_insert(&a->hand.replay.answer, p, len) != ST_OK) {
        app_say(a, true, "%s", _("The pasted text is too long for this field."));
    }
}

void replay_event(struct app *a, const struct event *e)
{
    const struct replay_progress *p = &a->record.replay;
    struct replay_box *b = &a->hand.replay;
    char text[240];
    if (p->state == REPLAY_IDLE || b->script == NULL) {
        return;
    }
    if (e->kind == EVENT_REPLAY && p->step > 0) {
        /* The list goes along; two steps before the current one are kept in sight. */
        b->top = p->step > 3 ? p->step - 3 : 0;
    }
    if (p->state != REPLAY_PLAYING) {
        replay_sentence(p, text, sizeof(text));
        app_say(a, p->state == REPLAY_UNEXPECTED || p->state == REPLAY_BROKEN, "%s", text);
    }
}

/* How far the step has come, as one of the states of steps. */
static enum verdict step_verdict(const struct app *a, size_t i)
{
    const struct replay_progress *p = &a->record.replay;
    if (p->state == REPLAY_DONE || i + 1 < p->step) {
        return VERDICT_OK;
    }
    if (p->step == 0 || i + 1 > p->step) {
        return VERDICT_PENDING;
    }
    switch (p->state) {
    case REPLAY_PLAYING:
        return VERDICT_RUNNING;
    case REPLAY_ASKING:
        return VERDICT_ASK;
    case REPLAY_UNEXPECTED:
    case REPLAY_BROKEN:
        return VERDICT_FAIL;
    case REPLAY_STOPPED:
        return VERDICT_STOPPED;
    default:
        return VERDICT_PENDING;
    }
}

static void step_text(const struct script_step *s, char *out, size_t size)
{
    char text[STEP_SHOWN];
    struct buf notation;
    if (s->kind != SCRIPT_RAW) {
        escape_copy(out, size, s->text, s->len, 0);
        return;
    }
    buf_init(&notation, 4 * SCRIPT_LINE_MAX);
    enum status st = raw_text_write(s->text, s->len, &notation);
    escape_copy(text, sizeof(text), buf_str(&notation), st == ST_OK ? notation.len : 0, 0);
    (void)snprintf(out, size, "raw %s", text);
    buf_free(&notation);
}

static void draw_step(struct app *a, struct canvas *c, struct rect row, size_t i)
{
    const struct script_step *s = &a->hand.replay.script->steps[i];
    const struct replay_progress *p = &a->record.replay;
    enum verdict verdict = step_verdict(a, i);
    bool here = i + 1 == p->step && p->state != REPLAY_DONE;
    char text[STEP_SHOWN + 8], expect[32] = "";
    step_text(s, text, sizeof(text));
    canvas_str(c, row, row.x, row.y, ROLE_TEXT, here ? ">" : " ");
    canvas_str(c, row, row.x + 1, row.y, state_role(verdict),
               state_mark(verdict, c->ascii, a->spin));
    canvas_printf(c, row, row.x + 5, row.y, ROLE_DIM, "%3zu", i + 1);
    bool shows = s->expect != 0 && row.w > 50;
    int right = shows ? EXPECT_COLUMNS : 0;
    struct rect words = {row.x + 5 + NUMBER_COLUMNS, row.y, row.w - 5 - NUMBER_COLUMNS - right, 1};
    canvas_label(c, words, words.x, words.y, here ? ROLE_BOLD : ROLE_TEXT, text);
    if (shows) {
        (void)snprintf(expect, sizeof(expect), _("expect %d"), s->expect);
        struct rect place = {row.x + row.w - right + 1, row.y, right - 1, 1};
        canvas_label(c, place, place.x, place.y, ROLE_DIM, expect);
    }
}

static void draw_answer(struct app *a, struct canvas *c, struct rect row)
{
    struct replay_box *b = &a->hand.replay;
    const struct script_step *step = current_step(a);
    size_t seen = step != NULL ? seen_part(step) : 0;
    int x = row.x;
    x += canvas_str(c, row, x, row.y, ROLE_BOLD, b->encode ? "b64> " : "> ");
    if (step != NULL) {
        x += canvas_text(c, row, x, row.y, ROLE_TEXT, step->text, seen, 0);
    }
    struct rect field = {x, row.y, row.x + row.w - x, 1};
    size_t from = 0;
    int cursor = 0;
    lineedit_window(&b->answer, field.w, c->ascii, &from, &cursor);
    for (size_t i = from; i < b->answer.len && (int)(i - from) < field.w; i++) {
        canvas_str(c, field, field.x + (int)(i - from), field.y, ROLE_TEXT, "*");
    }
    c->cursor_x = field.x + (cursor < field.w ? cursor : field.w - 1);
    c->cursor_y = field.y;
}

static void draw_state(struct app *a, struct canvas *c, struct rect rows)
{
    char text[320], question[160] = "";
    struct buf asked;
    const struct replay_progress *p = &a->record.replay;
    replay_sentence(p, text, sizeof(text));
    if (p->state == REPLAY_IDLE) {
        str_copy(text, sizeof(text), _("Connecting."));
    }
    buf_init(&asked, LINE_SHOWN_MAX);
    if (is_asking(a) && typehint_challenge(&a->record, &asked) && asked.len > 0) {
        escape_copy(question, sizeof(question), buf_str(&asked), asked.len, 0);
        (void)snprintf(text, sizeof(text), _("The server asks: \"%s\""), question);
    }
    buf_free(&asked);
    bool bad = p->state == REPLAY_UNEXPECTED || p->state == REPLAY_BROKEN;
    text_wrapped(c, rows, 0, bad ? ROLE_ERROR : ROLE_TEXT, text, 0);
}

static const char *keys_line(const struct app *a)
{
    if (is_asking(a)) {
        return a->hand.replay.encode ? _("Enter sends it as base64   Tab: as it is   Esc closes")
                                     : _("Enter sends it   Tab: as base64   Esc closes");
    }
    return _("Enter next step   a all   s stop   r again   Esc closes");
}

static int box_height(int screen)
{
    int height = screen / 2 > HEIGHT_LEAST ? screen / 2 : HEIGHT_LEAST;
    return height < screen - 1 ? height : screen - 1;
}

int replay_rows(const struct app *a, int screen)
{
    bool open = false;
    for (size_t i = 0; i < a->dialog_count; i++) {
        open = open || a->dialogs[i].kind == DIALOG_REPLAY;
    }
    /* The last two rows of the panes, status and keys, may lie under the box. */
    int rows = box_height(screen) - 2;
    return open && screen - rows >= PANES_LEAST ? rows : 0;
}

void replay_draw(struct app *a, struct dialog *d, struct canvas *c)
{
    struct replay_box *b = &a->hand.replay;
    char title[200], name[120];
    int height = box_height(c->h);
    int steps = height - 2 - 4; /* two rows of words, the field, the keys */
    if (b->script == NULL || steps < 1) {
        return;
    }
    escape_copy(name, sizeof(name), b->name, strlen(b->name), 0);
    (void)snprintf(title, sizeof(title), _("Script %s: %u of %zu"), name,
                   (unsigned)a->record.replay.step, b->script->count);
    struct rect box = {0, c->h - height, c->w, height};
    struct rect inner = {2, box.y + 1, c->w - 4, height - 2};
    box_draw(c, box, title, d->tag);
    size_t most = b->script->count > (size_t)steps ? b->script->count - (size_t)steps : 0;
    b->top = b->top < most ? b->top : most;
    for (int y = 0; y < steps && b->top + (size_t)y < b->script->count; y++) {
        draw_step(a, c, (struct rect){inner.x, inner.y + y, inner.w, 1}, b->top + (size_t)y);
    }
    draw_state(a, c, (struct rect){inner.x, inner.y + steps, inner.w, 2});
    c->cursor_x = inner.x;
    c->cursor_y = inner.y;
    if (is_asking(a)) {
        draw_answer(a, c, (struct rect){inner.x, inner.y + steps + 2, inner.w, 1});
    }
    struct rect foot = {inner.x, inner.y + steps + 3, inner.w, 1};
    canvas_label(c, foot, foot.x, foot.y, ROLE_DIM, keys_line(a));
}
