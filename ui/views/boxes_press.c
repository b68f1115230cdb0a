#include "boxes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compose.h"
#include "escape.h"
#include "lessons.h"
#include "text.h"
#include "xclient.h"

#define PORT_SUBMISSION 587

static const uint16_t port_of_choice[] = {0, 25, 465, PORT_SUBMISSION};

/* "" or a port number. */
static bool parse_port(const char *text, uint16_t *port)
{
    char *end = NULL;
    if (text[0] == '\0') {
        *port = 0;
        return true;
    }
    unsigned long value = strtoul(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end != '\0' || value < 1 || value > 65535) {
        return false;
    }
    *port = (uint16_t)value;
    return true;
}

/* The form of the start screen. */
static bool read_start(struct form *f, struct plan *plan, struct error *error)
{
    if (plan_set_target(plan, form_value(f, F_DOMAIN), error) != ST_OK) {
        form_error(f, F_DOMAIN, error->text);
        return false;
    }
    uint16_t port = port_of_choice[form_field(f, F_PORT)->choice];
    if (port != 0) {
        plan->port = port;
    } else if (form_field(f, F_PURPOSE)->choice == 1 && plan->port == 0) {
        plan->port = PORT_SUBMISSION;
    }
    return true;
}

/* Port and TLS mode: a target that was changed and names them goes before the fields below it. */
static bool read_where(struct form *f, struct plan *plan, struct error *error)
{
    uint16_t port = 0;
    enum plan_tls tls = (enum plan_tls)form_field(f, F_TLS)->choice;
    const char *target = form_value(f, F_DOMAIN);
    bool changed = plan->input == NULL || strcmp(plan->input, target) != 0;
    if (!parse_port(form_value(f, F_PORT), &port)) {
        form_error(f, F_PORT, _("A port is a number from 1 to 65535."));
        return false;
    }
    plan->port = 0;
    plan->tls = PLAN_TLS_AUTO;
    if (plan_set_target(plan, target, error) != ST_OK) {
        form_error(f, F_DOMAIN, error->text);
        return false;
    }
    if (form_value(f, F_HOST)[0] != '\0' &&
        plan_set_host(plan, form_value(f, F_HOST), error) != ST_OK) {
        form_error(f, F_HOST, error->text);
        return false;
    }
    plan->port = port != 0 && !(changed && plan->port != 0) ? port : plan->port;
    plan->tls = tls != PLAN_TLS_AUTO && !(changed && plan->tls != PLAN_TLS_AUTO) ? tls : plan->tls;
    return true;
}

/* Who speaks to the server, and how: for those that trust this client, or are no SMTP servers. */
static bool read_identity(struct form *f, struct plan *plan, struct error *error)
{
    struct buf line;
    const char *proxy = form_value(f, F_PROXY);
    const char *xclient = form_value(f, F_XCLIENT);
    plan->lmtp = form_field(f, F_LMTP)->on;
    memset(&plan->proxy, 0, sizeof(plan->proxy));
    if (proxy[0] != '\0' && proxy_wish_parse(proxy, &plan->proxy, error) != ST_OK) {
        form_error(f, F_PROXY, error->text);
        return false;
    }
    buf_init(&line, 4 * XCLIENT_LINE_MAX);
    bool good = xclient[0] == '\0' || xclient_line(xclient, &line, error) == ST_OK;
    buf_free(&line);
    if (!good || str_set(&plan->xclient, xclient[0] != '\0' ? xclient : NULL) != ST_OK) {
        form_error(f, F_XCLIENT, good ? _("Not enough memory.") : error->text);
        return false;
    }
    return true;
}

static bool read_target(struct form *f, struct plan *plan, struct error *error)
{
    static const int families[] = {0, 4, 6};
    if (!read_where(f, plan, error)) {
        return false;
    }
    plan->family = families[form_field(f, F_FAMILY)->choice];
    const char *helo = form_value(f, F_HELO);
    if (str_set(&plan->helo, helo[0] != '\0' ? helo : NULL) != ST_OK) {
        form_error(f, F_HELO, _("Not enough memory."));
        return false;
    }
    memset(&plan->source, 0, sizeof(plan->source));
    const char *source = form_value(f, F_SOURCE);
    if (source[0] != '\0' && !net_address_parse(source, &plan->source)) {
        form_error(f, F_SOURCE, _("This is no IP address. Leave it empty for any."));
        return false;
    }
    if (!read_identity(f, plan, error)) {
        return false;
    }
    if (plan_validate(plan, error) != ST_OK) {
        form_error(f, F_HELO, error->text);
        return false;
    }
    return true;
}

/* Tries the whole target on a copy of `base`, so that an error leaves the plan as it was. */
static bool accept_target(struct app *a, const struct plan *base, struct form *f,
                          bool (*read)(struct form *, struct plan *, struct error *))
{
    struct error error = {0};
    struct plan plan;
    plan_init(&plan);
    if (plan_copy(&plan, base) != ST_OK) {
        form_error(f, F_DOMAIN, _("Not enough memory."));
        return false;
    }
    if (!read(f, &plan, &error)) {
        plan_free(&plan);
        return false;
    }
    plan_free(&a->plan);
    a->plan = plan;
    return true;
}

/* `real`: from the start screen or from practice to a real target: another network, hence another
   engine. */
static void start_on_network(struct app *a, bool real)
{
    if (real && (a->engine == NULL || a->demo) && !app_connect_engine(a, NULL)) {
        return;
    }
    app_start_run(a);
}

static void press_start(struct app *a, struct dialog *d, int pressed)
{
    if (pressed == B_PRACTISE) {
        dialog_open_list(a, LIST_SCENARIOS);
        return;
    }
    form_clear_errors(&d->form);
    /* Without a target the guide asks for one, when it needs it. */
    bool named = form_value(&d->form, F_DOMAIN)[0] != '\0';
    if ((named || pressed != B_GUIDE) && !accept_target(a, &a->plan, &d->form, read_start)) {
        return;
    }
    if (pressed == B_GUIDE) {
        dialog_open_list(a, LIST_SYMPTOMS);
        return;
    }
    dialog_close(a);
    start_on_network(a, a->options->scenario == NULL);
    if (pressed == B_TYPE) {
        a->wish.focus = PANE_TYPE;
    }
}

static void press_target(struct app *a, struct dialog *d, int pressed)
{
    if (pressed == B_NO) {
        dialog_close(a);
        return;
    }
    form_clear_errors(&d->form);
    /* Practice is left only by a choice: a lesson's target must never be contacted in the real
       world by mistake. What the lesson assumed stays behind. */
    bool leaves = form_has(&d->form, F_NETWORK) && form_field(&d->form, F_NETWORK)->choice == 1;
    bool real = leaves || (!a->demo && a->options->scenario == NULL);
    if (accept_target(a, leaves ? a->options->plan : &a->plan, &d->form, read_target)) {
        dialog_close(a);
        start_on_network(a, real);
    }
}

/* Hands one step with consent to the engine; the consent lives only in this copy of the plan. */
static void run_with_consent(struct app *a, struct plan *plan, enum check_id check)
{
    if (a->engine == NULL || engine_step(a->engine, check, plan) != ST_OK) {
        app_say(a, true, "%s", _("The engine did not take the command."));
    } else {
        a->session_wanted = true;
        app_show_step(a, check);
        a->step_moved = true;
    }
}

static void press_login(struct app *a, struct dialog *d, int pressed)
{
    if (pressed == B_NO) {
        dialog_close(a);
        return;
    }
    struct form *f = &d->form;
    form_clear_errors(f);
    const char *user = form_value(f, F_USER);
    const struct lineedit *password = &form_field(f, F_PASSWORD)->edit;
    int method = form_field(f, F_METHOD)->choice;
    bool external = method == (int)ARRAY_LEN(login_methods) - 1;
    if (user[0] == '\0' && !external) {
        form_error(f, F_USER, _("Log in as whom? Most servers want the whole address."));
        return;
    }
    if (password->len == 0 && !external) {
        form_error(f, F_PASSWORD, _("The password is missing."));
        return;
    }
    /* The mechanisms of the SCRAM family show nothing to the other end; what shows the password asks. */
    bool agreed = form_has(f, F_CLEAR) && form_field(f, F_CLEAR)->on;
    enum login_risk risk = box_login_risk(a);
    if (form_has(f, F_CLEAR) && !agreed && risk == LOGIN_CLEAR) {
        form_error(f, F_CLEAR, _("Tick this box if the password may really go out in clear."));
        return;
    }
    struct plan plan;
    plan_init(&plan);
    if (plan_copy(&plan, &a->plan) == ST_OK && str_set(&plan.auth_user, user) == ST_OK &&
        str_set(&plan.auth_mech, login_methods[method]) == ST_OK &&
        secret_set(&plan.password, lineedit_text(password), password->len) == ST_OK) {
        plan.auth_wanted = true;
        /* Two consents: what was agreed to for an unproved server does not cover a line without TLS. */
        plan.auth_in_clear = agreed && risk == LOGIN_CLEAR;
        plan.auth_unproved = agreed && risk == LOGIN_UNPROVED;
        (void)!str_set(&a->plan.auth_user, user);
        (void)!str_set(&a->plan.auth_mech, login_methods[method]);
        dialog_close(a);
        run_with_consent(a, &plan, CHECK_AUTH);
    } else {
        form_error(f, F_PASSWORD, _("User or password is too long."));
    }
    plan_free(&plan);
}

static void press_relay(struct app *a, struct dialog *d, int pressed)
{
    if (pressed == B_NO) {
        dialog_close(a);
        return;
    }
    if (!form_field(&d->form, F_MAY)->on) {
        form_error(&d->form, F_MAY, _("Tick this box first: space."));
        return;
    }
    struct plan plan;
    plan_init(&plan);
    dialog_close(a);
    if (plan_copy(&plan, &a->plan) == ST_OK) {
        plan.relay_consent = true;
        run_with_consent(a, &plan, CHECK_RELAY);
    }
    plan_free(&plan);
}

static void view_message(struct app *a, struct form *f)
{
    struct error error = {0};
    struct buf raw, id, shown;
    bool eight_bit = false;
    buf_init(&raw, 1u << 20);
    buf_init(&id, 1024);
    buf_init(&shown, 4u << 20);
    const struct facts *path = record_path(&a->record);
    const char *helo = path != NULL && path->ehlo_name != NULL ? path->ehlo_name : "localhost";
    const char *from = form_value(f, F_FROM);
    char made_up[300];
    if (from[0] == '\0') {
        snprintf(made_up, sizeof(made_up), "postmaster@%s", helo);
        from = made_up;
    }
    struct compose_message m = {.from = from,
                                .to = form_value(f, F_TO),
                                .subject = form_value(f, F_SUBJECT),
                                .helo = helo,
                                .run_id = "preview",
                                .wall_us = a->record.started_wall_us};
    if (compose_build(&m, &raw, &id, &eight_bit, &error) != ST_OK) {
        form_error(f, F_TO, error.text);
        buf_free(&shown);
    } else {
        /* Line by line through the one escaping door; CR LF is shown as the line end that it is. */
        for (size_t at = 0; at < raw.len;) {
            const char *end = memchr(raw.p + at, '\n', raw.len - at);
            size_t len = end != NULL ? (size_t)(end - raw.p) - at : raw.len - at;
            size_t text = len > 0 && raw.p[at + len - 1] == '\r' ? len - 1 : len;
            if (escape_add(&shown, raw.p + at, text, 0) != ST_OK || buf_add_char(&shown, '\n') != ST_OK) {
                break;
            }
            at += len + 1;
        }
        dialog_open_text(a, _("The message, as it will be sent (date and id will be new)"), &shown);
    }
    buf_free(&raw);
    buf_free(&id);
}

static void press_send(struct app *a, struct dialog *d, int pressed)
{
    struct form *f = &d->form;
    struct error error = {0};
    if (pressed == B_NO) {
        dialog_close(a);
        return;
    }
    form_clear_errors(f);
    if (form_value(f, F_FROM)[0] != '\0' && address_check(form_value(f, F_FROM), true, true, &error) != ST_OK) {
        form_error(f, F_FROM, error.text);
        return;
    }
    if (address_check(form_value(f, F_TO), false, true, &error) != ST_OK) {
        form_error(f, F_TO, error.text);
        return;
    }
    if (pressed == B_VIEW) {
        view_message(a, f);
        return;
    }
    struct plan plan;
    plan_init(&plan);
    const char *from = form_value(f, F_FROM);
    if (plan_copy(&plan, &a->plan) == ST_OK && str_set(&plan.to, form_value(f, F_TO)) == ST_OK &&
        str_set(&plan.subject, form_value(f, F_SUBJECT)) == ST_OK &&
        str_set(&plan.from, from[0] != '\0' ? from : NULL) == ST_OK) {
        plan.send_consent = true;
        dialog_close(a);
        run_with_consent(a, &plan, CHECK_SEND);
    }
    plan_free(&plan);
}

static void press_save(struct app *a, struct dialog *d, int pressed)
{
    struct form *f = &d->form;
    if (pressed == B_NO) {
        dialog_close(a);
        return;
    }
    form_clear_errors(f);
    struct error error = {0};
    size_t size = 0;
    unsigned flags = form_field(f, F_EXISTING)->choice == 1 ? SAVE_OVERWRITE : SAVE_NUMBER;
    enum report_format format = box_save_format(f);
    (void)report_format_of(form_value(f, F_NAME), &format); /* an ending that was typed decides */
    if (app_save(a, form_value(f, F_NAME), format, flags, &size, &error) != ST_OK) {
        /* The box stays, the data stays: another name or folder can be tried. */
        form_error(f, F_NAME, error.text);
        return;
    }
    char shown[300];
    escape_copy(shown, sizeof(shown), a->saved_name, strlen(a->saved_name), 0);
    dialog_close(a);
    app_say(a, false, _("Saved: %s (%zu bytes)."), shown, size);
    if (dialog_top(a) != NULL && dialog_top(a)->kind == DIALOG_QUIT) {
        dialog_close(a);
        a->requests |= APP_QUIT;
    }
}

static void press_quit(struct app *a, struct dialog *d, int pressed)
{
    (void)d;
    if (pressed == B_GO) {
        a->requests |= APP_QUIT;
    } else if (pressed == B_VIEW) {
        dialog_open_save(a, REPORT_TEXT);
    } else {
        dialog_close(a);
    }
}

static void (*const press_table[])(struct app *, struct dialog *, int) = {
    [DIALOG_START] = press_start, [DIALOG_TARGET] = press_target, [DIALOG_LOGIN] = press_login,
    [DIALOG_RELAY] = press_relay, [DIALOG_SEND] = press_send,     [DIALOG_SAVE] = press_save,
    [DIALOG_QUIT] = press_quit,   [DIALOG_LESSON] = lesson_press, [DIALOG_ANSWER] = answer_press,
    [DIALOG_WRONG] = wrong_press, [DIALOG_CAUSE] = cause_press,
    [DIALOG_ENVELOPE] = press_envelope, [DIALOG_FILE] = press_file, [DIALOG_POST] = press_post,
    [DIALOG_PASTE] = press_paste, [DIALOG_SCRIPT_FILE] = press_script_file,
    [DIALOG_SCRIPT] = press_script,
};

void box_press(struct app *a, struct dialog *d, int pressed)
{
    press_table[d->kind](a, d, pressed);
}
