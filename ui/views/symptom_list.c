#include "dialogs.h"
#include "text.h"
#include "textbox.h"

#define NAME_COLUMNS 12

static const struct playbook *book_at(const struct app *a, const struct dialog *d, size_t at)
{
    return at < d->count ? playbooks_at(a->guide_pane.books, d->symptoms[at]) : NULL;
}

void symptoms_fill(struct app *a, struct dialog *d)
{
    const char *filter = lineedit_text(&d->filter);
    d->count = 0;
    if (!guide_load_books(a)) {
        return;
    }
    for (size_t i = 0; i < playbooks_count(a->guide_pane.books); i++) {
        const struct playbook *book = playbooks_at(a->guide_pane.books, i);
        if (list_contains(book->name, filter) || list_contains(book->symptom, filter) ||
            list_contains(book->about, filter)) {
            d->symptoms[d->count++] = i;
        }
    }
}

void symptoms_choose(struct app *a, struct dialog *d)
{
    const struct playbook *book = book_at(a, d, d->cursor);
    while (a->dialog_count > 0) {
        dialog_close(a);
    }
    guide_begin(a, book);
}

void symptoms_draw_row(const struct app *a, const struct dialog *d, struct canvas *c,
                       struct rect row, size_t at)
{
    const struct playbook *book = book_at(a, d, at);
    struct rect left = {row.x, row.y, NAME_COLUMNS - 1, 1};
    canvas_label(c, left, row.x, row.y, ROLE_TEXT, book->name);
    canvas_label(c, row, row.x + NAME_COLUMNS, row.y, ROLE_TEXT, book->symptom);
}

void symptoms_draw_about(const struct app *a, const struct dialog *d, struct canvas *c,
                         struct rect area)
{
    const struct playbook *book = book_at(a, d, d->cursor);
    if (book != NULL) {
        text_wrapped(c, area, 0, ROLE_DIM, book->about, 0);
    }
}
