#include "tls.h"

#include <netinet/in.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "testcert.h"

#define LONG (60 * US_PER_S)

static struct network *network;
static struct testcert root, leaf;
static char *root_pem;

static int setup(void **state)
{
    (void)state;
    /* Here the clock is the system's own. */
    int64_t now = (int64_t)time(NULL);
    struct testcert_spec ca = {.name = "Test Root",
                               .ca = true,
                               .not_before = now - TESTCERT_DAY,
                               .not_after = now + TESTCERT_DAY};
    struct testcert_spec spec = {.name = "mx.example.net",
                                 .san = "DNS:mx.example.net",
                                 .not_before = now - TESTCERT_DAY,
                                 .not_after = now + TESTCERT_DAY};
    testcert_make(&root, &ca, NULL);
    testcert_make(&leaf, &spec, &root);
    const struct testcert *roots[] = {&root};
    root_pem = testcert_pem(roots, 1);
    return net_system_open(&network, NULL) == ST_OK ? 0 : 1;
}

static int teardown(void **state)
{
    (void)state;
    net_network_close(network);
    testcert_free(&root);
    testcert_free(&leaf);
    free(root_pem);
    return 0;
}

static int listener(struct net_address *where)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(a);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
    assert_int_equal(listen(fd, 5), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
    assert_true(net_address_parse("127.0.0.1", where));
    where->port = ntohs(a.sin_port);
    return fd;
}

static struct net_conn *must_dial(const struct net_address *at)
{
    struct net_conn *c;
    int sys;
    assert_int_equal(net_dial(network, at, NULL, net_now_us(network) + LONG, NULL, &c, &sys),
                     ST_OK);
    return c;
}

/* Echoes one line and ends TLS. Asserting is left to the test's own thread. */
static void *serve_one(void *arg)
{
    int fd = accept(*(int *)arg, NULL, NULL);
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    SSL_CTX_use_certificate(ctx, leaf.cert);
    SSL_CTX_use_PrivateKey(ctx, leaf.key);
    SSL *ssl = SSL_new(ctx);
    SSL_set_fd(ssl, fd);
    char line[100];
    int n;
    if (SSL_accept(ssl) == 1 && (n = SSL_read(ssl, line, sizeof(line))) > 0 &&
        SSL_write(ssl, line, n) == n) {
        SSL_shutdown(ssl);
    }
    SSL_free(ssl);
    SSL_CTX_free(ctx);
    close(fd);
    return NULL;
}

static void over_real_sockets(void **state)
{
    (void)state;
    struct net_address at;
    struct tls_facts f;
    struct tls_failure failure;
    struct net_conn *c;
    pthread_t thread;
    char line[100];
    size_t got;
    int fd = listener(&at);
    int64_t deadline = net_now_us(network) + LONG;
    assert_int_equal(pthread_create(&thread, NULL, serve_one, &fd), 0);
    struct tls_config config = {.name = "mx.example.net", .ca_pem = root_pem};
    assert_int_equal(tls_client(network, must_dial(&at), &config, deadline, NULL, &c, &f, NULL),
                     ST_OK);
    assert_true(f.verified);
    assert_int_equal(c->peer.port, at.port);
    assert_int_equal(net_write_all(network, c, "EHLO me\r\n", 9, deadline, NULL), ST_OK);
    assert_int_equal(net_read_some(network, c, line, sizeof(line), &got, deadline, NULL), ST_OK);
    assert_int_equal(got, 9);
    assert_memory_equal(line, "EHLO me\r\n", 9);
    assert_int_equal(net_read_some(network, c, line, sizeof(line), &got, deadline, NULL), ST_EOF);
    tls_last_failure(c, &failure);
    assert_false(failure.truncated);
    net_close(c);
    pthread_join(thread, NULL);
    close(fd);
}

static void *cancel_it(void *arg)
{
    cancel_request(arg, CANCEL_HARD);
    return NULL;
}

static void a_stalled_handshake_can_be_cancelled(void **state)
{
    (void)state;
    struct net_address at;
    int fd = listener(&at); /* the system accepts, and nobody ever answers */
    for (int i = 0; i < 20; i++) {
        struct tls_facts f;
        struct net_conn *c;
        struct cancel cancel;
        struct error e;
        pthread_t thread;
        assert_int_equal(cancel_init(&cancel), ST_OK);
        struct net_conn *below = must_dial(&at);
        assert_int_equal(pthread_create(&thread, NULL, cancel_it, &cancel), 0);
        struct tls_config config = {.name = "mx.example.net", .ca_pem = root_pem};
        assert_int_equal(
            tls_client(network, below, &config, NO_DEADLINE, &cancel, &c, &f, &e), ST_CANCELLED);
        assert_int_equal(e.code, ST_CANCELLED);
        pthread_join(thread, NULL);
        net_close(below);
        cancel_fini(&cancel);
        close(accept(fd, NULL, NULL));
    }
    close(fd);
}

static void *hang_up(void *arg)
{
    int fd = accept(*(int *)arg, NULL, NULL);
    struct linger now = {1, 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    close(fd);
    return NULL;
}

static void a_reset_in_the_handshake(void **state)
{
    (void)state;
    struct net_address at;
    struct tls_facts f;
    struct net_conn *c;
    pthread_t thread;
    int fd = listener(&at);
    struct net_conn *below = must_dial(&at);
    assert_int_equal(pthread_create(&thread, NULL, hang_up, &fd), 0);
    struct tls_config config = {.name = "mx.example.net", .ca_pem = root_pem};
    assert_int_equal(tls_client(network, below, &config, net_now_us(network) + LONG, NULL, &c, &f,
                                NULL),
                     ST_RESET);
    assert_int_equal(f.reason, TLS_REASON_CLOSED);
    pthread_join(thread, NULL);
    net_close(below);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(over_real_sockets),
        cmocka_unit_test(a_stalled_handshake_can_be_cancelled),
        cmocka_unit_test(a_reset_in_the_handshake),
    };
    /* The server's side writes with plain write(); our own needs no such help. */
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, setup, teardown);
}
