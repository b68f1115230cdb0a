#include <stdio.h>
#include <string.h>

#include "boxes.h"
#include "lessons.h"
#include "text.h"
#include "views.h"

#define PROSE_SHOWN 4096

/* An empty box of a lesson, with the lesson's number and title in its edge. */
static struct form *push_lesson(struct app *a, enum dialog_kind kind, const char *title)
{
    struct dialog *d = dialog_push(a, kind);
    char heading[300];
    if (d == NULL) {
        return NULL;
    }
    lessons_heading(a, heading, sizeof(heading));
    (void)!buf_add_str(&d->text, title != NULL ? title : heading);
    form_init(&d->form, buf_str(&d->text));
    return &d->form;
}

/* The value of an option in the options of a scenario, which are words between blanks; "" when it
 * is not there. */
static void option_value(const char *options, const char *option, char *out, size_t size)
{
    const char *at = strstr(options, option);
    out[0] = '\0';
    if (at != NULL) {
        at += strlen(option);
        snprintf(out, size, "%.*s", (int)strcspn(at, " \n"), at);
    }
}

/* A lesson begins without consent: the learner logs in by hand, and has to know with what. */
static void note_login(struct form *f, const char *options)
{
    char user[128], password[128];
    option_value(options, "--auth-user ", user, sizeof(user));
    option_value(options, "--password=", password, sizeof(password));
    if (user[0] != '\0' && password[0] != '\0') {
        form_note(f, " ");
        form_note(f, _("To log in: user %s, password %s"), user, password);
    }
}

static void note_hints(struct form *f, const struct scenario_info *info, const struct lesson *now)
{
    char hint[PROSE_SHOWN];
    for (size_t i = 0; i < now->hints_shown && f->count + 10 < FORM_FIELDS_MAX; i++) {
        lessons_hint(info, i, hint, sizeof(hint));
        form_note(f, " ");
        form_note(f, _("Hint %zu of %zu: %s"), i + 1, now->hints, hint);
    }
}

static void note_answer(const struct app *a, struct form *f, const struct lesson *now)
{
    const struct finding_kind *cause = now->question.kinds[now->question.right];
    bool over = now->phase == LESSON_SOLVED || now->phase == LESSON_GIVEN_UP;
    if (over && a->guide != NULL) {
        form_note(f, " ");
        form_note(f, _("The answer: %s"), guide_name(a->guide, cause->id));
    }
}

static void lesson_buttons(struct app *a, struct form *f, const struct lesson *now)
{
    bool over = now->phase == LESSON_SOLVED || now->phase == LESSON_GIVEN_UP;
    if (!a->record.started) {
        form_button(f, B_GO, _("Begin"));
    } else {
        form_button(f, B_NO, now->phase == LESSON_VEILED ? _("Go on") : _("Close"));
        if (!over && now->hints_shown < now->hints) {
            form_button(f, B_HINT, now->hints_shown == 0 ? _("Hint") : _("Next hint"));
        }
        if (now->phase == LESSON_VEILED) {
            form_button(f, B_KNOW, _("I know the cause"));
            form_button(f, B_SHOW, _("Show me"));
        }
    }
    if (over && lessons_load(a) && lessons_next(a->lessons) != NULL) {
        form_button(f, B_NEXT, _("Next lesson"));
    }
    form_button(f, B_LESSONS, _("All lessons"));
}

void dialog_open_lesson(struct app *a)
{
    const struct lessons *l = a->lessons;
    if (!lessons_live(a)) {
        app_say(a, false, "%s",
                _("This is no practice: there is no lesson. F1 tells what the keys do."));
        return;
    }
    struct form *f = push_lesson(a, DIALOG_LESSON, NULL);
    if (f == NULL) {
        return;
    }
    if (l->info.story[0] != '\0') {
        form_note(f, "%s", l->info.story);
    }
    if (l->info.goal[0] != '\0') {
        form_note(f, " ");
        form_note(f, _("Goal: %s"), l->info.goal);
    }
    note_login(f, l->info.options);
    note_hints(f, &l->info, &l->now);
    note_answer(a, f, &l->now);
    lesson_buttons(a, f, &l->now);
    /* The story at first, and the newest hint when there is one. */
    form_focus(f, a->record.started ? B_NO : B_GO);
    if (l->now.hints_shown == 0) {
        form_from_top(f);
    }
}

static const char *candidate_name(const struct app *a, const struct lesson *now, size_t i)
{
    return a->guide != NULL ? guide_name(a->guide, now->question.kinds[i]->id) : "";
}

static void open_answer(struct app *a)
{
    const struct lesson *now = &a->lessons->now;
    struct form *f = push_lesson(a, DIALOG_ANSWER, NULL);
    size_t first = LESSON_CANDIDATES;
    if (f == NULL) {
        return;
    }
    form_note(f, "%s",
              _("Which of these explains what you see? Up and Down choose, Enter answers."));
    form_note(f, " ");
    for (size_t i = 0; i < LESSON_CANDIDATES; i++) {
        if (now->tried[i]) {
            form_note(f, _("  (no) %s"), candidate_name(a, now, i));
        } else {
            form_answer(f, F_CANDIDATE + (int)i, candidate_name(a, now, i));
            first = i < first ? i : first;
        }
    }
    form_button(f, B_NO, _("Back"));
    form_focus(f, F_CANDIDATE + (int)first);
}

static void open_wrong(struct app *a, size_t candidate)
{
    const struct lesson *now = &a->lessons->now;
    struct form *f = push_lesson(a, DIALOG_WRONG, _("Not this one"));
    if (f == NULL) {
        return;
    }
    form_note(f, _("It is not this: %s."), candidate_name(a, now, candidate));
    form_note(f, " ");
    if (a->guide != NULL) {
        form_note(f, _("How that would show: %s"),
                  guide_sign(a->guide, now->question.kinds[candidate]->id));
        form_note(f, " ");
    }
    form_note(f, "%s",
              _("Look again at the marks of the steps, and at the lines of the transcript."));
    form_button(f, B_NO, _("Look again"));
    if (now->hints_shown < now->hints) {
        form_button(f, B_HINT, now->hints_shown == 0 ? _("Hint") : _("Next hint"));
    }
    form_button(f, B_KNOW, _("Another answer"));
    form_focus(f, B_NO);
}

static void note_cause(struct app *a, struct form *f)
{
    const struct lesson *now = &a->lessons->now;
    const struct finding_kind *kind = now->question.kinds[now->question.right];
    const struct record_finding *cause = lessons_cause(a);
    struct guide_text text;
    if (cause == NULL || a->guide == NULL ||
        guide_finding(a->guide, &cause->f, a->ascii, &text) != ST_OK) {
        form_note(f, "%s", candidate_name(a, now, now->question.right));
        form_note(f, _("The run has not come to it yet. It is told at the step that finds %s."),
                  kind->id);
        return;
    }
    char numbers[200], quote[400];
    advice_proof(a, &cause->f, numbers, sizeof(numbers), quote, sizeof(quote));
    form_note(f, "%s  %s", state_word(cause->f.verdict), text.title);
    if (numbers[0] != '\0') {
        form_note(f, _("Proof: transcript %s: %s"), numbers, quote);
    }
    guide_text_free(&text);
}

static void open_cause(struct app *a)
{
    const struct lessons *l = a->lessons;
    bool solved = l->now.phase == LESSON_SOLVED;
    struct form *f = push_lesson(a, DIALOG_CAUSE, solved ? _("Solved") : _("This was it"));
    if (f == NULL) {
        return;
    }
    note_cause(a, f);
    form_note(f, " ");
    form_note(f, _("Hints: %zu of %zu. Wrong answers: %u."), l->now.hints_shown, l->now.hints,
              l->now.wrong);
    if (!solved) {
        form_note(f, "%s", _("A lesson that was shown does not count as solved."));
    }
    if (lessons_load(a)) {
        form_note(f, _("Solved so far: %u of %u lessons."), lessons_solved_count(l),
                  lessons_count(l));
    }
    form_button(f, B_NO, _("Read the advice"));
    if (lessons_next(l) != NULL) {
        form_button(f, B_NEXT, _("Next lesson"));
    }
    form_button(f, B_LESSONS, _("All lessons"));
    form_focus(f, B_NO);
}

/* Buttons that stand in several boxes. False: it is none of them. */
static bool common_press(struct app *a, int pressed)
{
    const struct scenario_info *next = pressed == B_NEXT ? lessons_next(a->lessons) : NULL;
    switch (pressed) {
    case B_HINT:
        (void)lesson_hint(&a->lessons->now);
        dialog_close(a);
        dialog_open_lesson(a);
        return true;
    case B_KNOW:
        dialog_close(a);
        open_answer(a);
        return true;
    case B_LESSONS:
        dialog_open_list(a, LIST_SCENARIOS);
        return true;
    case B_NEXT:
        if (next != NULL) {
            lessons_start(a, next->name);
        }
        return true;
    default:
        return false;
    }
}

void lesson_press(struct app *a, struct dialog *d, int pressed)
{
    (void)d;
    if (common_press(a, pressed)) {
        return;
    }
    dialog_close(a);
    if (pressed == B_GO) {
        app_start_run(a);
    } else if (pressed == B_SHOW) {
        lesson_give_up(&a->lessons->now);
        lessons_over(a);
        open_cause(a);
    }
}

void answer_press(struct app *a, struct dialog *d, int pressed)
{
    (void)d;
    dialog_close(a);
    if (pressed == B_NO) {
        dialog_open_lesson(a);
        return;
    }
    size_t candidate = (size_t)(pressed - F_CANDIDATE);
    if (lesson_answer(&a->lessons->now, candidate)) {
        lessons_over(a);
        open_cause(a);
    } else {
        open_wrong(a, candidate);
    }
}

void wrong_press(struct app *a, struct dialog *d, int pressed)
{
    (void)d;
    if (!common_press(a, pressed)) {
        dialog_close(a);
    }
}

void cause_press(struct app *a, struct dialog *d, int pressed)
{
    (void)d;
    if (common_press(a, pressed)) {
        return;
    }
    dialog_close(a);
    a->wish.focus = PANE_ADVICE;
    a->wish.advice_hidden = false;
}
