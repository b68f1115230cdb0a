#include <stdio.h>
#include <string.h>

#include "escape.h"
#include "text.h"
#include "views.h"

#define BAR_NARROW_SPARES 5 /* what the bar of a narrow terminal never shows */
#define TITLE_RULES 4  /* columns of the rule beside and between the two parts of a title */
#define TITLE_LEAST 10 /* less of the right part would tell nothing */
#define SAID_US (3 * US_PER_S) /* then a wait is told again instead of what was said */

static void host_text(const struct app *a, char *out, size_t size)
{
    const struct facts *path = record_path(&a->record);
    char address[NET_ADDRESS_TEXT] = "", host[200] = "";
    if (path == NULL || path->address.family == 0) {
        escape_copy(out, size, a->plan.input != NULL ? a->plan.input : "",
                    a->plan.input != NULL ? strlen(a->plan.input) : 0, 0);
        return;
    }
    net_address_format(&path->address, address, sizeof(address));
    if (path->mx != NULL) {
        escape_copy(host, sizeof(host), path->mx, strlen(path->mx), 0);
        snprintf(out, size, "%s:%u [%s]", host, (unsigned)path->address.port, address);
    } else {
        net_address_format_port(&path->address, out, size);
    }
}

static const char *security_text(const struct app *a)
{
    const struct facts *path = record_path(&a->record);
    if (!a->record.started) {
        return "";
    }
    if (a->record.session == SMTP_CLOSED) {
        return _("closed");
    }
    if (a->record.session_tls && path != NULL && path->tls != NULL) {
        return path->tls->version;
    }
    return a->record.session_tls ? "TLS" : _("PLAIN");
}

static void view_header(struct app *a, struct canvas *c)
{
    struct rect row = a->layout.header;
    char host[400], counts[160], target[256] = "";
    unsigned ok = 0, warn = 0, fail = 0, skip = 0, ask = 0, done = 0;
    canvas_fill(c, row, ROLE_HEADER);
    host_text(a, host, sizeof(host));
    record_counts(&a->record, &ok, &warn, &fail, &skip, &ask);
    for (int i = 0; i < CHECK_COUNT; i++) {
        enum verdict v = a->record.steps[i].verdict;
        done += v != VERDICT_PENDING && v != VERDICT_RUNNING ? 1 : 0;
    }
    if (a->record.target != NULL && a->plan.domain != NULL && row.w >= 100) {
        escape_copy(target, sizeof(target), a->record.target, strlen(a->record.target), 0);
        size_t n = strlen(target);
        snprintf(target + n, sizeof(target) - n, " -> ");
    }
    int x = row.x + 1;
    x += canvas_str(c, row, x, row.y, ROLE_HEADER, row.w >= 72 ? "smtpscope  " : "");
    x += canvas_str(c, row, x, row.y, ROLE_HEADER, a->demo ? "DEMO  " : "");
    x += canvas_printf(c, row, x, row.y, ROLE_HEADER, "%s%s", target, host);
    int64_t elapsed = app_running(a) ? a->now_us - a->run_seen_us : a->record.elapsed_us;
    char clock[24];
    duration_text(elapsed, clock, sizeof(clock));
    /* As much as fits: everything, without what is well, or the bare numbers. */
    for (int size = 0; size < 3; size++) {
        const char *security = security_text(a);
        if (size == 0) {
            snprintf(counts, sizeof(counts), _("%s  step %u/%d  %u ok %u warn %u fail  %s"), security,
                     done, CHECK_COUNT, ok, warn, fail, a->record.started ? clock : "");
        } else if (size == 1) {
            snprintf(counts, sizeof(counts), _("%s  %u/%d  %u fail %u warn"), security, done, CHECK_COUNT,
                     fail, warn);
        } else {
            snprintf(counts, sizeof(counts), _("%s %uF %uW"), security, fail, warn);
        }
        int at = row.x + row.w - (int)escape_columns(counts, strlen(counts), 0) - 1;
        if (at > x + 1 || size == 2) {
            canvas_printf(c, row, at - 1, row.y, ROLE_HEADER, " %s", counts);
            return;
        }
    }
}

static const char *const pane_names[PANE_COUNT] = {N_("STEPS"), N_("TRANSCRIPT"), N_("ADVICE"),
                                                    N_("TIMINGS"), N_("TYPE SMTP")};

static void transcript_title(struct app *a, char *out, size_t size)
{
    static const char *const times[] = {N_("rel"), N_("delta"), N_("UTC"), N_("off")};
    size_t at = 0;
    uint32_t hit = 0, hits = 0, below = tview_new_below(a->tview, &a->record);
    int n = 0;
    if (tview_following(a->tview)) {
        n = snprintf(out, size, "%s", _("FOLLOW"));
    } else if (below > 0) {
        n = snprintf(out, size, _("PAUSED %u new below"), (unsigned)below);
    } else {
        n = snprintf(out, size, "%s", _("PAUSED"));
    }
    at = n > 0 ? (size_t)n : 0;
    if (a->layout.kind >= LAYOUT_TWO && at < size) {
        n = snprintf(out + at, size - at, _("  wrap:%s  time:%s"),
                     tview_wrapping(a->tview) ? _("on") : _("off"), _(times[tview_time_mode(a->tview)]));
        at += n > 0 ? (size_t)n : 0;
    }
    if (tview_filter_text(a->tview)[0] != '\0' && at < size) {
        n = snprintf(out + at, size - at, _("  filter:%s"), tview_filter_text(a->tview));
        at += n > 0 ? (size_t)n : 0;
    }
    if (tview_find_text(a->tview)[0] != '\0' && at < size) {
        tview_find_counts(a->tview, &a->record, &hit, &hits);
        n = snprintf(out + at, size - at, _("  find:%u/%u"), (unsigned)hit, (unsigned)hits);
        at += n > 0 ? (size_t)n : 0;
    }
    if (at < size) {
        snprintf(out + at, size - at, "  %u/%u", (unsigned)tview_cursor(a->tview),
                 (unsigned)lines_last(a->record.lines));
    }
}

static void guide_title(const struct app *a, char *left, size_t left_size, char *right,
                        size_t right_size)
{
    const struct guide_pane *g = &a->guide_pane;
    size_t about = 0, at = playbook_place(&g->guided.walk, &about);
    char symptom[160];
    escape_copy(symptom, sizeof(symptom), g->guided.walk.book->symptom,
                strlen(g->guided.walk.book->symptom), 0);
    snprintf(left, left_size, _(" %d GUIDE: %s "), PANE_ADVICE + 1, symptom);
    if (g->view.below > 0) {
        snprintf(right, right_size, _(" step %zu of about %zu   more: %d "), at, about, g->view.below);
    } else {
        snprintf(right, right_size, _(" step %zu of about %zu "), at, about);
    }
}

static const char *pane_name(const struct app *a, int pane)
{
    return pane == PANE_ADVICE && guide_in_front(a) ? _("GUIDE") : _(pane_names[pane]);
}

static void view_title(struct app *a, struct canvas *c, enum pane pane)
{
    struct rect row = a->layout.title[pane];
    if (row.h == 0) {
        return;
    }
    char right[200] = "", left[200];
    bool focus = a->wish.focus == pane;
    for (int x = row.x; x < row.x + row.w; x++) {
        canvas_put(c, x, row.y, ROLE_LINE, GLYPH_HLINE);
    }
    if (pane == PANE_ADVICE && guide_in_front(a)) {
        guide_title(a, left, sizeof(left), right, sizeof(right));
    } else if (pane == PANE_ADVICE) {
        snprintf(left, sizeof(left), _(" %d ADVICE: %s "), PANE_ADVICE + 1, _(checks[a->step].title));
        if (a->advice_below > 0) {
            snprintf(right, sizeof(right), _(" more: %d "), a->advice_below);
        }
    } else {
        char place[64] = "";
        if (pane == PANE_STEPS) {
            guide_place_text(a, place, sizeof(place));
        }
        snprintf(left, sizeof(left), place[0] != '\0' ? " %d %s  %s " : " %d %s ", (int)pane + 1,
                 _(pane_names[pane]), place);
    }
    if (pane == PANE_TRANSCRIPT) {
        char facts[160];
        transcript_title(a, facts, sizeof(facts));
        snprintf(right, sizeof(right), " %s ", facts);
    }
    /* Focus is told by words in brackets as well as by the attribute. */
    if (focus) {
        left[0] = '[';
        left[strlen(left) - 1] = ']';
    }
    int x = canvas_label(c, row, row.x + 1, row.y, focus ? ROLE_TITLE_FOCUS : ROLE_TITLE, left);
    int w = (int)escape_columns(right, strlen(right), 0), room = row.w - x - TITLE_RULES;
    if (right[0] != '\0' && room >= (w < TITLE_LEAST ? w : TITLE_LEAST)) {
        w = w < room ? w : room;
        struct rect place = {row.x + row.w - w - 2, row.y, w, 1};
        canvas_label(c, place, place.x, row.y, ROLE_TITLE, right);
    }
}

static void view_tabs(struct app *a, struct canvas *c)
{
    struct rect row = a->layout.tabs;
    int x = row.x, needed = 0;
    for (int p = 0; p < PANE_COUNT; p++) {
        const char *name = pane_name(a, p);
        needed += 4 + (int)escape_columns(name, strlen(name), 0);
    }
    /* Where the names do not fit, the number is the tab, and the pane in front has its name. */
    for (int p = 0; p < PANE_COUNT; p++) {
        bool focus = (int)a->wish.focus == p;
        const char *name = focus || needed <= row.w ? pane_name(a, p) : NULL;
        enum role role = focus ? ROLE_TITLE_FOCUS : ROLE_TEXT;
        x += name == NULL ? canvas_printf(c, row, x, row.y, role, " %d ", p + 1)
                          : canvas_printf(c, row, x, row.y, role, focus ? "[%d %s]" : " %d %s ",
                                          p + 1, name);
    }
}

struct bar_item {
    const char *key, *label;
    enum action action;
};

static const struct bar_item bar[] = {
    {"F1", N_("Help"), ACTION_HELP},   {"F2", N_("Target"), ACTION_TARGET},
    {"F3", N_("Find"), ACTION_FIND},   {"F4", N_("Filter"), ACTION_FILTER},
    {"F5", N_("Run"), ACTION_RUN_REST}, {"F6", N_("Type"), ACTION_TYPE},
    {"F7", N_("Save"), ACTION_SAVE},   {"F8", N_("Stop"), ACTION_STOP},
    {"F9", N_("Menu"), ACTION_MENU},   {"F10", N_("Quit"), ACTION_QUIT},
};

/* What a bar that is too narrow for this language leaves out, first to last. */
static const enum action bar_spares[] = {ACTION_FILTER, ACTION_FIND, ACTION_MENU, ACTION_TARGET,
                                         ACTION_STOP,   ACTION_SAVE, ACTION_TYPE, ACTION_RUN_REST};

static bool bar_shows(const struct bar_item *item, size_t spared)
{
    for (size_t i = 0; i < spared; i++) {
        if (bar_spares[i] == item->action) {
            return false;
        }
    }
    return true;
}

static int bar_columns(bool wide, size_t spared)
{
    size_t columns = 0;
    for (size_t i = 0; i < ARRAY_LEN(bar); i++) {
        if (bar_shows(&bar[i], spared)) {
            const char *label = _(bar[i].label);
            columns += strlen(bar[i].key) + escape_columns(label, strlen(label), 0) + (wide ? 3 : 1);
        }
    }
    return (int)columns - (wide ? 2 : 1);
}

static void view_keybar(struct app *a, struct canvas *c)
{
    struct rect row = a->layout.keybar;
    canvas_fill(c, row, ROLE_KEYBAR);
    bool wide = row.w >= 100 && bar_columns(true, 0) <= row.w;
    size_t spared = row.w < 72 ? BAR_NARROW_SPARES : 0;
    while (!wide && spared < ARRAY_LEN(bar_spares) && bar_columns(false, spared) > row.w) {
        spared++;
    }
    int x = row.x;
    for (size_t i = 0; i < ARRAY_LEN(bar); i++) {
        if (bar_shows(&bar[i], spared)) {
            x += canvas_str(c, row, x, row.y, ROLE_BOLD, bar[i].key);
            x += wide ? 1 : 0;
            x += canvas_str(c, row, x, row.y, ROLE_KEYBAR, _(bar[i].label));
            x += wide ? 2 : 1;
        }
    }
    const char *more = row.w >= 160 ? _("Tab next pane  1-5 pane  z zoom  D advice  W timings  : commands")
                       : wide       ? _("Tab next pane  z zoom  ? help")
                       : row.w < 72 ? _("Tab:next tab  ?:all")
                                    : "";
    int w = (int)escape_columns(more, strlen(more), 0);
    if (x + w + 1 <= row.x + row.w) {
        canvas_str(c, row, x + 1, row.y, ROLE_KEYBAR, more);
    }
}

static bool is_hline(const struct canvas *c, int x, int y)
{
    const char *line = canvas_glyph(c->ascii, GLYPH_HLINE);
    bool inside = x >= 0 && x < c->w && y >= 0 && y < c->h;
    return inside && strcmp(c->cells[(size_t)y * (size_t)c->w + (size_t)x].text, line) == 0;
}

/* Where a vertical rule meets the titles above, between and below. */
static void view_joints(struct app *a, struct canvas *c)
{
    for (size_t i = 0; i < a->layout.rule_count; i++) {
        struct rect rule = a->layout.rules[i];
        for (int y = rule.y; y <= rule.y + rule.h; y++) {
            bool left = is_hline(c, rule.x - 1, y), right = is_hline(c, rule.x + 1, y);
            bool below = y == rule.y + rule.h;
            if (below && is_hline(c, rule.x, y)) {
                canvas_put(c, rule.x, y, ROLE_LINE, GLYPH_TEE_UP);
            } else if (!below && left && right) {
                canvas_put(c, rule.x, y, ROLE_LINE, y == rule.y ? GLYPH_TEE_DOWN : GLYPH_CROSS);
            } else if (!below && left) {
                canvas_put(c, rule.x, y, ROLE_LINE, GLYPH_TEE_LEFT);
            } else if (!below && right) {
                canvas_put(c, rule.x, y, ROLE_LINE, GLYPH_TEE_RIGHT);
            }
        }
    }
}

void view_frame(struct app *a, struct canvas *c)
{
    view_header(a, c);
    if (a->layout.tabs.h > 0) {
        view_tabs(a, c);
    }
    for (size_t i = 0; i < a->layout.rule_count; i++) {
        struct rect rule = a->layout.rules[i];
        for (int y = rule.y; y < rule.y + rule.h; y++) {
            canvas_put(c, rule.x, y, ROLE_LINE, GLYPH_VLINE);
        }
    }
    for (int p = 0; p < PANE_COUNT; p++) {
        view_title(a, c, (enum pane)p);
    }
    view_joints(a, c);
    view_keybar(a, c);
}

/* "Waiting for the reply to RCPT: 2.1 s of 300 s. F8 stops." */
static bool wait_text(const struct app *a, char *out, size_t size)
{
    if (a->record.waiting == WAIT_NONE) {
        return false;
    }
    int64_t waited = a->now_us - a->wait_seen_us;
    int seconds = (int)(waited / US_PER_S), tenths = (int)(waited % US_PER_S / 100000);
    int limit = a->record.wait_limit_ms / 1000;
    if (waited < US_PER_S) {
        snprintf(out, size, _("Waiting for %s"), smtp_wait_name(a->record.waiting));
    } else if (seconds < 10) {
        snprintf(out, size, _("Waiting for %s: %d.%d s of %d s. F8 stops."),
                 smtp_wait_name(a->record.waiting), seconds, tenths, limit);
    } else {
        snprintf(out, size,
                 _("Waiting for %s: %d s of %d s. F8 stops. Servers often delay on purpose."),
                 smtp_wait_name(a->record.waiting), seconds, limit);
    }
    return true;
}

static enum role status_text(const struct app *a, char *out, size_t size)
{
    bool old = !a->status_error && a->now_us - a->said_us >= SAID_US;
    if ((a->status[0] == '\0' || old) && wait_text(a, out, size)) {
        return ROLE_TEXT;
    }
    if (a->status_error && a->status[0] != '\0') {
        snprintf(out, size, _("Error: %s"), a->status);
        return ROLE_ERROR;
    }
    str_copy(out, size, a->status);
    return ROLE_TEXT;
}

void view_status(struct app *a, struct canvas *c)
{
    struct rect row = a->layout.status;
    char text[400];
    if (row.h == 0) {
        return;
    }
    if (a->ask != ASK_NOTHING) {
        const char *label = a->ask == ASK_FIND ? _("Find: ") : _("Filter (dir:c code:4xx step:7 problem, words): ");
        bool wrong = a->status_error && a->status[0] != '\0';
        if (wrong) {
            snprintf(text, sizeof(text), _("Error: %s"), a->status);
            label = text;
        }
        struct rect words = {row.x, row.y, row.w * 2 / 3, 1};
        enum role role = wrong ? ROLE_ERROR : ROLE_BOLD;
        int x = canvas_label(c, words, row.x, row.y, role, label) + (wrong ? 1 : 0);
        struct rect field = {row.x + x, row.y, row.w - x, 1};
        line_draw(a, c, field, &a->ask_edit, a->dialog_count == 0);
        return;
    }
    const char *mouse = a->mouse ? _("MOUSE: Shift-drag selects") : _("mouse off");
    int w = (int)escape_columns(mouse, strlen(mouse), 0);
    enum role role = status_text(a, text, sizeof(text));
    /* What is said goes before what is the same all day. */
    int said = (int)escape_columns(text, strlen(text), 0);
    bool show = row.w >= 72 && (a->mouse || said + 2 + w <= row.w);
    struct rect left = {row.x, row.y, show ? row.w - w - 2 : row.w, 1};
    canvas_label(c, left, row.x, row.y, role, text);
    if (show) {
        canvas_str(c, row, row.x + row.w - w - 1, row.y, ROLE_DIM, mouse);
    }
}
