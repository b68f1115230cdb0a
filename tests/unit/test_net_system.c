#include "net.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <net/if.h>
#include <unistd.h>
#include <cmocka.h>

/* Long enough that nothing but an error gets there. */
#define LONG (60 * US_PER_S)

static struct network *network;

static int setup(void **state)
{
    (void)state;
    struct error e;
    return net_system_open(&network, &e) == ST_OK ? 0 : 1;
}

static int teardown(void **state)
{
    (void)state;
    net_network_close(network);
    return 0;
}

static int64_t soon(void)
{
    return net_now_us(network) + LONG;
}

/* A socket of the test's own on the loopback address, and where it is. */
static int bound_socket(int type, struct net_address *where)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(a);
    int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
    assert_true(net_address_parse("127.0.0.1", where));
    where->port = ntohs(a.sin_port);
    return fd;
}

static int listener(struct net_address *where, int backlog)
{
    int fd = bound_socket(SOCK_STREAM, where);
    assert_int_equal(listen(fd, backlog), 0);
    return fd;
}

static struct net_conn *must_dial(const struct net_address *to)
{
    struct net_conn *c;
    int sys;
    assert_int_equal(net_dial(network, to, NULL, soon(), NULL, &c, &sys), ST_OK);
    assert_int_equal(sys, 0);
    return c;
}

static void connects_and_talks(void **state)
{
    (void)state;
    struct net_address at;
    char text[100];
    size_t got;
    int fd = listener(&at, 5);
    /* the number that the next descriptor will have */
    int next = dup(fd);
    close(next);
    struct net_conn *c = must_dial(&at);
    assert_true((fcntl(next, F_GETFD) & FD_CLOEXEC) != 0);
    assert_true((fcntl(next, F_GETFL) & O_NONBLOCK) != 0);
    assert_true(net_address_same_host(&c->local, &at));
    assert_true(c->local.port != 0 && c->local.port != at.port);
    assert_int_equal(c->peer.port, at.port);

    int peer = accept(fd, NULL, NULL);
    assert_true(peer >= 0);
    assert_int_equal(c->ops->read(c, text, sizeof(text), &got), ST_AGAIN);
    assert_int_equal(write(peer, "220 hi\r\n", 8), 8);
    assert_int_equal(net_read_some(network, c, text, sizeof(text), &got, soon(), NULL), ST_OK);
    assert_int_equal(got, 8);
    assert_memory_equal(text, "220 hi\r\n", 8);
    assert_int_equal(net_write_all(network, c, "QUIT\r\n", 6, soon(), NULL), ST_OK);
    assert_int_equal(read(peer, text, sizeof(text)), 6);
    c->ops->shut_write(c);
    assert_int_equal(read(peer, text, sizeof(text)), 0);
    close(peer);
    assert_int_equal(net_read_some(network, c, text, sizeof(text), &got, soon(), NULL), ST_EOF);
    net_close(c);
    close(fd);
}

static void a_closed_port_refuses(void **state)
{
    (void)state;
    struct net_address at;
    struct net_conn *c;
    int sys;
    int fd = bound_socket(SOCK_STREAM, &at); /* bound, and nobody listens */
    assert_int_equal(net_dial(network, &at, NULL, soon(), NULL, &c, &sys), ST_REFUSED);
    assert_int_equal(sys, ECONNREFUSED);
    assert_null(c);
    close(fd);
    /* The system may pick the very port as our own, and connects us to ourselves: no server. */
    assert_int_equal(net_dial(network, &at, &at, soon(), NULL, &c, &sys), ST_REFUSED);
    assert_int_equal(sys, ECONNREFUSED);
}

static void a_reset_is_no_end(void **state)
{
    (void)state;
    struct net_address at;
    char text[10];
    size_t n;
    int fd = listener(&at, 5);
    struct net_conn *c = must_dial(&at);
    int peer = accept(fd, NULL, NULL);
    struct linger now = {1, 0};
    assert_int_equal(setsockopt(peer, SOL_SOCKET, SO_LINGER, &now, sizeof(now)), 0);
    close(peer);
    assert_int_equal(net_read_some(network, c, text, sizeof(text), &n, soon(), NULL), ST_RESET);
    assert_int_equal(c->sys, ECONNRESET);
    /* and writing on does not kill the process */
    for (int i = 0; i < 3; i++) {
        assert_int_equal(c->ops->write(c, "QUIT\r\n", 6, &n), ST_RESET);
    }
    net_close(c);
    close(fd);
}

static void a_full_pipe_waits_and_goes_on(void **state)
{
    (void)state;
    static char out[4000000], in[sizeof(out)];
    struct net_address at;
    int fd = listener(&at, 5);
    struct net_conn *c = must_dial(&at);
    int peer = accept(fd, NULL, NULL);
    size_t put, sent = 0;
    enum status st;
    memset(out, 'x', sizeof(out));
    while (sent < sizeof(out) &&
           (st = c->ops->write(c, out + sent, sizeof(out) - sent, &put)) == ST_OK) {
        sent += put;
    }
    if (sent < sizeof(out)) {
        assert_int_equal(st, ST_AGAIN);
        struct net_wait_item item = {.conn = c, .want = NET_WRITE};
        assert_int_equal(net_wait(network, &item, 1, net_now_us(network), NULL, false),
                         ST_TIMEOUT);
    }
    size_t have = 0;
    while (have < sent) {
        ssize_t n = read(peer, in + have, sizeof(in) - have);
        assert_true(n > 0);
        have += (size_t)n;
    }
    assert_int_equal(net_write_all(network, c, "y", 1, soon(), NULL), ST_OK);
    close(peer);
    net_close(c);
    close(fd);
}

static void waiting_ends_at_the_deadline(void **state)
{
    (void)state;
    struct net_address at;
    int fd = listener(&at, 5);
    struct net_conn *c = must_dial(&at);
    struct net_wait_item item = {.conn = c, .want = NET_READ};
    int64_t deadline = net_now_us(network) + 3000;
    assert_int_equal(net_wait(network, &item, 1, deadline, NULL, false), ST_TIMEOUT);
    assert_true(net_now_us(network) >= deadline);
    assert_int_equal(net_wait(network, &item, 1, 0, NULL, false), ST_TIMEOUT);
    item.want = NET_READ | NET_WRITE;
    /* what is ready counts, though the deadline is past */
    assert_int_equal(net_wait(network, &item, 1, 0, NULL, false), ST_OK);
    assert_int_equal(item.ready, NET_WRITE);
    net_close(c);
    close(fd);
}

struct shot {
    struct cancel *cancel;
    enum cancel_level level;
    struct net_address *at;
};

static void *shoot(void *arg)
{
    struct shot *s = arg;
    if (s->level == CANCEL_NONE) {
        cancel_wake(s->cancel);
    } else {
        cancel_request(s->cancel, s->level);
    }
    return NULL;
}

static void another_thread_cancels_a_wait_without_end(void **state)
{
    (void)state;
    struct net_address at;
    int fd = listener(&at, 5);
    struct net_conn *c = must_dial(&at);
    for (int i = 0; i < 100; i++) {
        struct cancel cancel;
        pthread_t thread;
        char text[10];
        size_t got;
        assert_int_equal(cancel_init(&cancel), ST_OK);
        struct shot s = {.cancel = &cancel, .level = i % 2 == 0 ? CANCEL_POLITE : CANCEL_HARD};
        assert_int_equal(pthread_create(&thread, NULL, shoot, &s), 0);
        assert_int_equal(net_read_some(network, c, text, sizeof(text), &got, NO_DEADLINE, &cancel),
                         ST_CANCELLED);
        pthread_join(thread, NULL);
        /* it stays cancelled until the engine has taken note */
        struct net_wait_item item = {.conn = c, .want = NET_WRITE};
        assert_int_equal(net_wait(network, &item, 1, NO_DEADLINE, &cancel, false), ST_CANCELLED);
        cancel_ack(&cancel, cancel_level(&cancel));
        assert_int_equal(net_wait(network, &item, 1, NO_DEADLINE, &cancel, false), ST_OK);
        cancel_fini(&cancel);
    }
    net_close(c);
    close(fd);
}

static void a_connect_that_hangs_can_be_cancelled(void **state)
{
    (void)state;
    struct net_address at;
    struct net_conn *waiting[4], *c;
    int sys, hanging = 0;
    /* One may wait to be accepted, and the system leaves the others unanswered. */
    int fd = listener(&at, 0);
    for (size_t i = 0; i < ARRAY_LEN(waiting); i++) {
        assert_int_equal(network->ops->connect(network, &at, NULL, &waiting[i], &sys), ST_OK);
        struct net_wait_item item = {.conn = waiting[i], .want = NET_WRITE};
        if (net_wait(network, &item, 1, net_now_us(network) + 1000, NULL, false) == ST_TIMEOUT) {
            assert_int_equal(network->ops->connect_result(network, waiting[i]), ST_AGAIN);
            hanging++;
        }
    }
    if (hanging > 0) {
        struct cancel cancel;
        pthread_t thread;
        assert_int_equal(net_dial(network, &at, NULL, net_now_us(network) + 2000, NULL, &c, &sys),
                         ST_TIMEOUT);
        assert_int_equal(sys, 0);
        assert_int_equal(cancel_init(&cancel), ST_OK);
        struct shot s = {.cancel = &cancel, .level = CANCEL_HARD};
        assert_int_equal(pthread_create(&thread, NULL, shoot, &s), 0);
        assert_int_equal(net_dial(network, &at, NULL, NO_DEADLINE, &cancel, &c, &sys),
                         ST_CANCELLED);
        pthread_join(thread, NULL);
        cancel_fini(&cancel);
    }
    for (size_t i = 0; i < ARRAY_LEN(waiting); i++) {
        net_close(waiting[i]);
    }
    close(fd);
    if (hanging == 0) {
        skip();
    }
}

static void a_wake_up_without_cancel(void **state)
{
    (void)state;
    struct cancel cancel;
    pthread_t thread;
    assert_int_equal(cancel_init(&cancel), ST_OK);
    struct shot s = {.cancel = &cancel, .level = CANCEL_NONE};
    assert_int_equal(pthread_create(&thread, NULL, shoot, &s), 0);
    assert_int_equal(net_wait(network, NULL, 0, NO_DEADLINE, &cancel, true), ST_AGAIN);
    pthread_join(thread, NULL);
    /* once for each, not for ever */
    assert_int_equal(net_wait(network, NULL, 0, net_now_us(network), &cancel, true), ST_TIMEOUT);
    /* and nobody is bothered who did not ask */
    cancel_wake(&cancel);
    assert_int_equal(net_wait(network, NULL, 0, net_now_us(network) + 2000, &cancel, false),
                     ST_TIMEOUT);
    cancel_fini(&cancel);
}

static struct net_conn *must_open_datagram(const struct net_address *to)
{
    struct net_conn *c;
    int sys;
    assert_int_equal(network->ops->datagram(network, to, NULL, &c, &sys), ST_OK);
    return c;
}

static void datagrams_come_whole(void **state)
{
    (void)state;
    struct net_address at;
    struct sockaddr_in from;
    socklen_t len = sizeof(from);
    char text[100];
    size_t n;
    int fd = bound_socket(SOCK_DGRAM, &at);
    struct net_conn *c = must_open_datagram(&at);
    assert_true(c->local.port != 0);
    assert_int_equal(net_write_all(network, c, "question", 8, soon(), NULL), ST_OK);
    assert_int_equal(recvfrom(fd, text, sizeof(text), 0, (struct sockaddr *)&from, &len), 8);
    assert_int_equal(ntohs(from.sin_port), c->local.port);
    /* an empty one is stepped over, one that is too long is told */
    assert_int_equal(sendto(fd, "", 0, 0, (struct sockaddr *)&from, len), 0);
    assert_int_equal(sendto(fd, "answer", 6, 0, (struct sockaddr *)&from, len), 6);
    assert_int_equal(sendto(fd, "0123456789", 10, 0, (struct sockaddr *)&from, len), 10);
    assert_int_equal(sendto(fd, "end", 3, 0, (struct sockaddr *)&from, len), 3);
    assert_int_equal(net_read_some(network, c, text, 9, &n, soon(), NULL), ST_OK);
    assert_int_equal(n, 6);
    assert_memory_equal(text, "answer", 6);
    assert_int_equal(net_read_some(network, c, text, 9, &n, soon(), NULL), ST_LIMIT);
    assert_int_equal(n, 9);
    assert_int_equal(net_read_some(network, c, text, 9, &n, soon(), NULL), ST_OK);
    assert_memory_equal(text, "end", 3);
    assert_int_equal(c->ops->read(c, text, 9, &n), ST_AGAIN);
    net_close(c);
    close(fd);
}

static void strangers_are_not_heard(void **state)
{
    (void)state;
    struct net_address at, other;
    char text[100];
    size_t n;
    int fd = bound_socket(SOCK_DGRAM, &at);
    int stranger = bound_socket(SOCK_DGRAM, &other);
    struct net_conn *c = must_open_datagram(&at);
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                             .sin_port = htons(c->local.port)};
    assert_int_equal(sendto(stranger, "forged", 6, 0, (struct sockaddr *)&to, sizeof(to)), 6);
    assert_int_equal(sendto(fd, "real", 4, 0, (struct sockaddr *)&to, sizeof(to)), 4);
    assert_int_equal(net_read_some(network, c, text, sizeof(text), &n, soon(), NULL), ST_OK);
    assert_int_equal(n, 4);
    assert_memory_equal(text, "real", 4);
    net_close(c);
    close(stranger);
    close(fd);
}

static void a_closed_datagram_port_is_told(void **state)
{
    (void)state;
    struct net_address at;
    char text[10];
    size_t n;
    int fd = bound_socket(SOCK_DGRAM, &at);
    close(fd);
    struct net_conn *c = must_open_datagram(&at);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(net_write_all(network, c, "question", 8, soon(), NULL), ST_OK);
        assert_int_equal(net_read_some(network, c, text, sizeof(text), &n, soon(), NULL),
                         ST_REFUSED);
        assert_int_equal(c->sys, ECONNREFUSED);
        /* the error is gone with that: waiting waits */
        struct net_wait_item item = {.conn = c, .want = NET_READ};
        assert_int_equal(net_wait(network, &item, 1, net_now_us(network) + 1000, NULL, false),
                         ST_TIMEOUT);
    }
    net_close(c);
}

static void source_addresses(void **state)
{
    (void)state;
    struct net_address at, from, source;
    struct net_conn *c;
    int sys;
    int fd = listener(&at, 5);
    assert_true(net_address_parse("127.0.0.2", &from));
    assert_int_equal(net_dial(network, &at, &from, soon(), NULL, &c, &sys), ST_OK);
    assert_true(net_address_same_host(&c->local, &from));
    net_close(c);
    assert_true(net_address_parse("192.0.2.1", &from));
    assert_int_equal(net_dial(network, &at, &from, soon(), NULL, &c, &sys), ST_INVALID);
    assert_int_equal(sys, EADDRNOTAVAIL);
    assert_true(net_address_parse("::1", &from));
    assert_int_equal(net_dial(network, &at, &from, soon(), NULL, &c, &sys), ST_INVALID);
    struct net_address none = {0};
    assert_int_equal(net_dial(network, &none, NULL, soon(), NULL, &c, &sys), ST_INVALID);
    assert_int_equal(net_dial(network, &at, &none, soon(), NULL, &c, &sys), ST_OK);
    net_close(c);
    assert_int_equal(network->ops->source_for(network, &at, &source), ST_OK);
    assert_true(net_address_parse("127.0.0.1", &from));
    assert_true(net_address_same_host(&source, &from));
    assert_int_equal(source.port, 0);
    close(fd);
}

static void not_permitted_is_told_apart(void **state)
{
    (void)state;
    struct net_address to;
    struct net_conn *c;
    int sys;
    /* broadcasting needs a right that we never ask for */
    assert_true(net_address_parse("255.255.255.255", &to));
    to.port = 53;
    enum status st = network->ops->datagram(network, &to, NULL, &c, &sys);
    if (st == ST_UNREACHABLE) {
        skip(); /* no route at all */
    }
    assert_int_equal(st, ST_DENIED);
    assert_int_equal(sys, EACCES);
}

/* In a network of its own, where there is nothing but a loopback interface that is down. */
static int nothing_is_reachable(void)
{
    static const char *const targets[] = {"192.0.2.1", "127.0.0.1", "2001:db8::1"};
    for (size_t i = 0; i < ARRAY_LEN(targets); i++) {
        struct net_address to, source;
        struct net_conn *c;
        int sys = 0;
        if (!net_address_parse(targets[i], &to)) {
            return 10;
        }
        to.port = 25;
        if (net_dial(network, &to, NULL, soon(), NULL, &c, &sys) != ST_UNREACHABLE || sys == 0) {
            return 20 + (int)i;
        }
        if (network->ops->source_for(network, &to, &source) != ST_UNREACHABLE) {
            return 30 + (int)i;
        }
    }
    return 0;
}

static void without_a_route_it_is_unreachable(void **state)
{
    (void)state;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        if (unshare(CLONE_NEWNET) != 0 && unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0) {
            _exit(77);
        }
        _exit(nothing_is_reachable());
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == 77) {
        skip();
    }
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void the_rest_of_the_system(void **state)
{
    (void)state;
    struct net_address a[8];
    char name[256], tiny[2];
    unsigned char one[64] = {0}, two[64] = {0}, zero[64] = {0};
    network->ops->host_name(network, name, sizeof(name));
    assert_true(strlen(name) > 0);
    network->ops->host_name(network, tiny, sizeof(tiny));
    assert_true(strlen(tiny) <= 1);
    net_random(network, one, sizeof(one));
    net_random(network, two, sizeof(two));
    assert_memory_not_equal(one, two, sizeof(one));
    assert_memory_not_equal(one, zero, sizeof(one));
    size_t n = network->ops->resolvers(network, a, ARRAY_LEN(a));
    assert_true(n >= 1 && n <= 3);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(a[i].port, 53);
    }
    assert_int_equal(network->ops->hosts_file(network, "no-such-host.invalid", a, 8), 0);
    assert_false(network->demo);
    assert_true(net_wall_us(network) > INT64_C(1700000000) * US_PER_S);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(connects_and_talks),
        cmocka_unit_test(a_closed_port_refuses),
        cmocka_unit_test(a_reset_is_no_end),
        cmocka_unit_test(a_full_pipe_waits_and_goes_on),
        cmocka_unit_test(waiting_ends_at_the_deadline),
        cmocka_unit_test(another_thread_cancels_a_wait_without_end),
        cmocka_unit_test(a_connect_that_hangs_can_be_cancelled),
        cmocka_unit_test(a_wake_up_without_cancel),
        cmocka_unit_test(datagrams_come_whole),
        cmocka_unit_test(strangers_are_not_heard),
        cmocka_unit_test(a_closed_datagram_port_is_told),
        cmocka_unit_test(source_addresses),
        cmocka_unit_test(not_permitted_is_told_apart),
        cmocka_unit_test(without_a_route_it_is_unreachable),
        cmocka_unit_test(the_rest_of_the_system),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
