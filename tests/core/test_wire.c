/* Frames over a socket: whole, in pieces, with a descriptor, and when the other end goes. */
#include "support.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "wire.h"

#define LIMIT ((size_t)1024 * 1024)

static int ends[2];
static chief__wire wire;

static int setup(void **state) {
    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    chief__wire_init(&wire, ends[0], LIMIT);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    chief__wire_fini(&wire);
    (void)close(ends[0]);
    if (ends[1] >= 0) (void)close(ends[1]);
    return 0;
}

static void put(chief__frames *out, int64_t number, const void *data, size_t len) {
    chief__frame_begin(out, FRAME_COMMIT);
    chief__frame_int(out, number);
    chief__frame_bytes(out, data, len);
    assert_int_equal(chief__frame_end(out), CHIEF_OK);
}

static void assert_put(int64_t number, size_t len) {
    chief__frame f;
    assert_int_equal(chief__wire_read(&wire, &f), CHIEF_OK);
    assert_int_equal(f.kind, FRAME_COMMIT);
    assert_int_equal(f.fields.ints[0], number);
    assert_int_equal(f.fields.bytes[0].len, len);
}

static void test_wire__frames_come_in_their_order(void **state) {
    (void)state;
    chief__frames out = {0};
    chief__frame f;
    assert_int_equal(chief__wire_try(&wire, &f), CHIEF_EAGAIN);
    put(&out, 1, "a", 1);
    put(&out, 2, NULL, 0);
    assert_int_equal(chief__wire_write(ends[1], &out, -1), CHIEF_OK);
    assert_int_equal(out.len, 0);
    assert_put(1, 1);
    assert_put(2, 0);
    assert_int_equal(chief__wire_try(&wire, &f), CHIEF_EAGAIN);
    chief__frames_free(&out);
}

static void test_wire__a_frame_in_pieces_is_waited_for(void **state) {
    (void)state;
    chief__frames out = {0};
    chief__frame f;
    put(&out, 7, "hello", 5);
    for (size_t i = 0; i < out.len; i++) {
        assert_int_equal(chief__wire_try(&wire, &f), CHIEF_EAGAIN);
        assert_int_equal(write(ends[1], out.buf + i, 1), 1);
    }
    assert_put(7, 5);
    chief__frames_free(&out);
}

static void write_large(void *data) {
    chief__frames *out = data;
    if (chief__wire_write(ends[1], out, -1) != CHIEF_OK) abort();
}

static void test_wire__more_than_the_socket_takes_goes_through(void **state) {
    (void)state;
    static char large[LIMIT - 16];
    chief__frames out = {0};
    chief__thread writer;
    put(&out, 1, large, sizeof large);
    put(&out, 2, "small", 5);
    support_thread(&writer, write_large, &out);
    assert_put(1, sizeof large);
    assert_put(2, 5);
    chief__thread_join(&writer);
    chief__frames_free(&out);
}

static void test_wire__too_large_and_nonsense_are_refused(void **state) {
    (void)state;
    static char large[LIMIT];
    chief__frames out = {0};
    chief__frame f;
    put(&out, 1, large, sizeof large);
    assert_int_equal(write(ends[1], out.buf, CHIEF__FRAME_HEAD), CHIEF__FRAME_HEAD);
    assert_int_equal(chief__wire_read(&wire, &f), CHIEF_EDATA);
    support_says("a commit frame of");
    chief__frames_free(&out);
}

static void test_wire__the_end_is_told_also_within_a_frame(void **state) {
    (void)state;
    chief__frames out = {0};
    chief__frame f;
    put(&out, 1, "a", 1);
    assert_int_equal(write(ends[1], out.buf, 3), 3);
    (void)close(ends[1]);
    ends[1] = -1;
    assert_int_equal(chief__wire_read(&wire, &f), CHIEF_ECLOSED);
    assert_int_equal(chief__wire_write(ends[0], &out, -1), CHIEF_ECLOSED);
    chief__frames_free(&out);
}

static void test_wire__a_descriptor_comes_along(void **state) {
    (void)state;
    chief__frames out = {0};
    int pipe_ends[2];
    char byte = 0;
    assert_int_equal(pipe(pipe_ends), 0);
    put(&out, 1, "a", 1);
    assert_int_equal(chief__wire_write(ends[1], &out, pipe_ends[1]), CHIEF_OK);
    assert_int_equal(chief__wire_take_fd(&wire), -1);
    assert_put(1, 1);
    int fd = chief__wire_take_fd(&wire);
    assert_true(fd >= 0 && (fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
    assert_int_equal(chief__wire_take_fd(&wire), -1);
    assert_int_equal(write(fd, "x", 1), 1);
    assert_int_equal(read(pipe_ends[0], &byte, 1), 1);
    assert_int_equal(byte, 'x');
    (void)close(fd);
    (void)close(pipe_ends[0]);
    (void)close(pipe_ends[1]);
    chief__frames_free(&out);
}

/* Who sends two where one has a meaning leaves none behind. */
static void test_wire__of_two_descriptors_one_is_kept(void **state) {
    (void)state;
    union {
        struct cmsghdr align;
        char room[CMSG_SPACE(2 * sizeof(int))];
    } control = {.room = {0}};
    chief__frames out = {0};
    int pipe_ends[2];
    char byte;
    assert_int_equal(pipe(pipe_ends), 0);
    put(&out, 1, "a", 1);
    struct iovec part = {out.buf, out.len};
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    struct cmsghdr *c = CMSG_FIRSTHDR(&message);
    const int both[] = {pipe_ends[1], pipe_ends[1]};
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(sizeof both);
    memcpy(CMSG_DATA(c), both, sizeof both);
    assert_int_equal(sendmsg(ends[1], &message, 0), out.len);
    (void)close(pipe_ends[1]);
    assert_put(1, 1);
    int fd = chief__wire_take_fd(&wire);
    assert_true(fd >= 0);
    (void)close(fd);
    assert_int_equal(fcntl(pipe_ends[0], F_SETFL, O_NONBLOCK), 0);
    assert_int_equal(read(pipe_ends[0], &byte, 1), 0); /* nobody has its other end any more */
    (void)close(pipe_ends[0]);
    chief__frames_free(&out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_wire__frames_come_in_their_order, setup, teardown),
        cmocka_unit_test_setup_teardown(test_wire__a_frame_in_pieces_is_waited_for, setup, teardown),
        cmocka_unit_test_setup_teardown(test_wire__more_than_the_socket_takes_goes_through, setup, teardown),
        cmocka_unit_test_setup_teardown(test_wire__too_large_and_nonsense_are_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(test_wire__the_end_is_told_also_within_a_frame, setup, teardown),
        cmocka_unit_test_setup_teardown(test_wire__a_descriptor_comes_along, setup, teardown),
        cmocka_unit_test_setup_teardown(test_wire__of_two_descriptors_one_is_kept, setup, teardown),
    };
    return cmocka_run_group_tests_name("wire", tests, NULL, NULL);
}
