/*
 * forms: boxes with labelled fields, in one shape for all: Tab and arrows move, Enter on the last field or
 * on a button accepts, Esc cancels. Errors stand under the field, in words, and clear nothing.
 *
 * Threads: the face's. Ownership: form_free wipes password fields.
 */
#ifndef SMTPSCOPE_FORMS_H
#define SMTPSCOPE_FORMS_H

#include "canvas.h"
#include "lineedit.h"
#include "textbox.h"

#define FORM_FIELDS_MAX 20
#define FORM_WIDTH 60
#define FORM_CHOICES_MAX 8

enum field_kind {
    FIELD_TEXT,
    FIELD_PASSWORD,
    FIELD_RADIO,
    FIELD_CHECK,
    FIELD_NOTE,  /* wrapped text, not focusable */
    FIELD_ANSWER, /* wrapped text that Enter presses */
    FIELD_BUTTON /* buttons stand together in the last row */
};

struct field {
    enum field_kind kind;
    int id;              /* the dialog's own */
    const char *label;   /* translated */
    struct lineedit edit;
    const char *choices[FORM_CHOICES_MAX]; /* RADIO, translated */
    int choice_count, choice;
    bool on;             /* CHECK; PASSWORD: shown in clear */
    char *note;          /* NOTE; safe text */
    char error[240];
};

struct form {
    const char *title;
    const char *tag; /* at the other end of the box's edge, or NULL */
    struct field fields[FORM_FIELDS_MAX];
    size_t count, focus;
    int top;  /* first row shown, when the box is taller than the screen */
    int back; /* so many rows before it, because somebody reads what stands above */
    int page; /* rows shown last */
};

enum form_result { FORM_IGNORED, FORM_CHANGED, FORM_PRESSED, FORM_CANCELLED };

void form_init(struct form *f, const char *title);
void form_free(struct form *f);
struct field *form_text(struct form *f, int id, const char *label, const char *value);
struct field *form_password(struct form *f, int id, const char *label);
struct field *form_radio(struct form *f, int id, const char *label, const char *const *choices,
                         int count, int choice);
struct field *form_check(struct form *f, int id, const char *label, bool on);
void form_note(struct form *f, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* `label` must live as long as the form. */
void form_answer(struct form *f, int id, const char *label);
void form_button(struct form *f, int id, const char *label);
/* A box that is too tall is shown from its first row, until the focus moves. */
void form_from_top(struct form *f);
void form_focus(struct form *f, int id);

bool form_has(const struct form *f, int id);
struct field *form_field(struct form *f, int id); /* never NULL for an id that was added */
const char *form_value(struct form *f, int id);
void form_error(struct form *f, int id, const char *text); /* and moves the focus there */
void form_clear_errors(struct form *f);

/* FORM_PRESSED: *pressed is the id of the button or answer. F5, and Enter in the last field that is
   typed into, press the first button, unless `careful`, where Enter only moves on. */
enum form_result form_key(struct form *f, uint32_t key, bool careful, int *pressed);
/* True when the focus is in a text field, so that letters are text. */
bool form_in_text(const struct form *f);
void form_draw(struct form *f, struct canvas *c);

#endif
