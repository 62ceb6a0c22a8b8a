// What every packet of a call needs, without the interpreter: SRTP, the socket, and when it came.
//
// A lane is one call's media: packets that are ready to be sent, and datagrams that are held until they are
// opened, a batch in a row. A reader serves the sockets of an event loop. Python decides everything else: what
// is said and when, where it goes, and what becomes of each datagram that is not media. Nothing here allocates
// after it was made, keeps a pointer that it was lent, or trusts a length. libsrtp's functions are handed over by
// whoever has linked it.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>

enum {
    BATCH = 5,            // packets in a row, as BATCH in peer.py
    LARGEST = 2048,       // bytes of a datagram that are read
    LONGEST_PACKET = 1400,  // plain, and what libsrtp adds to it below
    TRAILER = 148,
    HEADER = 12,
    EVENTS = 256,
};
#define CLOCK_STEP 0.05      // seconds, as in datagrams.py
#define LONGEST_UNREAD 60.0

typedef int (*process_t)(void *session, void *packet, int *length);
static process_t protect_rtp, unprotect_rtp, unprotect_rtcp;

void use_srtp(void *protect, void *unprotect, void *unprotect_control) {
    protect_rtp = (process_t)protect;
    unprotect_rtp = (process_t)unprotect;
    unprotect_rtcp = (process_t)unprotect_control;
}

static double seconds(struct timespec t) { return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec; }

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return seconds(t);
}

// --- one call ---

// One that is held, or was opened.
struct packet {
    double at;
    uint32_t length;
    uint32_t control;  // RTCP
};

struct lane {
    // As far as Python looks (library.py): what is sent, from when on, and how much of it was.
    double since, next_look;
    uint64_t sent, octets;
    uint32_t ssrc, timestamp;
    int next, ready;  // of `datagrams`
    uint16_t sequence;
    uint8_t payload_type, marker;
    // No farther.
    void *outgoing, *incoming;  // libsrtp's sessions; NULL while there are no keys
    int fd;                     // -1 while Python sends
    socklen_t to_size;
    struct sockaddr_storage to;
    int sizes[BATCH], payloads[BATCH];
    unsigned char datagrams[BATCH][LONGEST_PACKET + TRAILER];
    int held;
    struct packet packets[BATCH];
    unsigned char came[BATCH][LARGEST];
};

struct lane *lane_new(void) {
    struct lane *lane = calloc(1, sizeof *lane);
    if (lane) lane->fd = -1;
    return lane;
}

void lane_free(struct lane *lane) { free(lane); }

// libsrtp's sessions, or NULL, which its owner keeps as long.
void lane_keys(struct lane *lane, void *outgoing, void *incoming) {
    lane->outgoing = outgoing;
    lane->incoming = incoming;
}

const struct packet *lane_packets(const struct lane *lane) { return lane->packets; }

const unsigned char *lane_came(const struct lane *lane) { return lane->came[0]; }

// Hold what came; how many are held.
int lane_hold(struct lane *lane, const unsigned char *datagram, int size, double at) {
    if (lane->held < BATCH && size >= 0 && size <= LARGEST) {
        memcpy(lane->came[lane->held], datagram, (size_t)size);
        lane->packets[lane->held].length = (uint32_t)size;
        lane->packets[lane->held++].at = at;
    }
    return lane->held;
}

// Send from this socket to this address; 0, or -1 where it is no address.
int lane_plug(struct lane *lane, int fd, const char *address, int port) {
    struct sockaddr_in *v4 = (struct sockaddr_in *)&lane->to;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&lane->to;
    lane->fd = -1;
    memset(&lane->to, 0, sizeof lane->to);
    if (port < 1 || port > 65535) return -1;
    if (inet_pton(AF_INET, address, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons((uint16_t)port);
        lane->to_size = sizeof *v4;
    } else if (inet_pton(AF_INET6, address, &v6->sin6_addr) == 1) {
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons((uint16_t)port);
        lane->to_size = sizeof *v6;
    } else {
        return -1;
    }
    lane->fd = fd;
    return 0;
}

static void put16(unsigned char *at, uint16_t value) {
    at[0] = (unsigned char)(value >> 8);
    at[1] = (unsigned char)value;
}

static void put32(unsigned char *at, uint32_t value) {
    put16(at, (uint16_t)(value >> 16));
    put16(at + 2, (uint16_t)value);
}

// Protect the payloads of the next frames, which lie one behind the other; a size below 0 is a frame in which
// nothing is sent. Returns how many were taken: none where some are ready still.
int lane_protect(struct lane *lane, const unsigned char *payload, const int *sizes, int frames, int frame_samples) {
    if (lane->next < lane->ready || frames < 0) return 0;
    if (frames > BATCH) frames = BATCH;
    for (int i = 0; i < frames; i++, lane->timestamp += (uint32_t)frame_samples) {
        unsigned char *datagram = lane->datagrams[i];
        int length = HEADER + sizes[i];
        lane->sizes[i] = lane->payloads[i] = 0;
        if (sizes[i] < 0) {
            lane->marker = 0x80;  // RFC 3551, section 4.1: the first packet after silence
            continue;
        }
        if (length <= LONGEST_PACKET && lane->outgoing) {
            datagram[0] = 0x80;
            datagram[1] = lane->payload_type | lane->marker;
            put16(datagram + 2, lane->sequence);
            put32(datagram + 4, lane->timestamp);
            put32(datagram + 8, lane->ssrc);
            memcpy(datagram + HEADER, payload, (size_t)sizes[i]);
            if (protect_rtp(lane->outgoing, datagram, &length) == 0) {
                lane->marker = 0;
                lane->sequence++;
                lane->sizes[i] = length;
                lane->payloads[i] = sizes[i];
            }
        }
        payload += sizes[i];
    }
    lane->next = 0;
    lane->ready = frames;
    return frames;
}

// What Python has to do for a lane.
enum { REFILL = 1, LOOK = 2, BEGUN = 4, UNSENT = 8 };

// Send this frame's packet; UNSENT where Python has to, as `lane_unsent` says.
int lane_send(struct lane *lane) {
    if (lane->next >= lane->ready) return 0;
    int i = lane->next++;
    if (lane->sizes[i] == 0) return 0;
    lane->octets += (uint64_t)lane->payloads[i];
    if (lane->fd < 0 || sendto(lane->fd, lane->datagrams[i], (size_t)lane->sizes[i], MSG_DONTWAIT | MSG_NOSIGNAL,
                               (struct sockaddr *)&lane->to, lane->to_size) < 0)
        return UNSENT;
    return ++lane->sent == 1 ? BEGUN : 0;
}

// The datagram that was not sent just now.
const unsigned char *lane_unsent(const struct lane *lane, int *size) {
    int i = lane->next - 1;
    *size = i < 0 ? 0 : lane->sizes[i];
    return lane->datagrams[i < 0 ? 0 : i];
}

// One frame of many lanes. Writes which of them Python has to do something for, and what; returns how many.
int lanes_serve(struct lane *const *lanes, int number, double deadline, int *which, int *what) {
    int found = 0;
    for (int i = 0; i < number; i++) {
        struct lane *lane = lanes[i];
        int todo;
        if (!(deadline > lane->since)) continue;
        todo = lane->next >= lane->ready ? REFILL : lane_send(lane);
        if (deadline >= lane->next_look) todo |= LOOK;
        if (todo) {
            which[found] = i;
            what[found++] = todo;
        }
    }
    return found;
}

// Open what is held, in the order in which it came. Returns how many are in `packets` and `came`: those that
// are not authentic have no length.
int lane_open(struct lane *lane) {
    int held = lane->held;
    for (int i = 0; i < held; i++) {
        unsigned char *datagram = lane->came[i];
        int length = (int)lane->packets[i].length;
        int control = length > 1 && datagram[1] >= 192 && datagram[1] <= 208;  // RFC 5761, section 4
        process_t process = control ? unprotect_rtcp : unprotect_rtp;
        if (length < HEADER || length > LONGEST_PACKET || !lane->incoming ||
            process(lane->incoming, datagram, &length) != 0 || length < 0)
            length = 0;
        lane->packets[i].length = (uint32_t)length;
        lane->packets[i].control = (uint32_t)control;
    }
    lane->held = 0;
    return held;
}

// --- all sockets of an event loop ---

struct entry {
    int fd;  // -1: nobody's
    struct lane *lane;  // takes media; NULL where Python takes all
};

enum { NOTHING = 0, FULL = 1, DATAGRAM = 2, FAILED = 3, ENOUGH = 4 };

struct reader {
    // As far as Python looks: what `reader_next` has found.
    double at, late;  // late: the first one's, -1 where that is not known
    int id, error, size, port, taken;
    char address[80];
    unsigned char data[LARGEST];
    // No farther.
    int epoll, number, next, count, budget;
    double offset, began;
    struct entry *entries;
    struct epoll_event events[EVENTS];
};

struct reader *reader_new(int epoll) {
    struct reader *reader = calloc(1, sizeof *reader);
    if (reader) reader->epoll = epoll;
    return reader;
}

void reader_free(struct reader *reader) {
    free(reader->entries);
    free(reader);
}

// Read a socket under a number; 0, or an errno.
int reader_add(struct reader *reader, int id, int fd) {
    struct epoll_event event = {.events = EPOLLIN, .data = {.u32 = (uint32_t)id}};
    if (id < 0 || id >= 1 << 20) return EINVAL;
    if (id >= reader->number) {
        int number = 2 * id + 16;
        struct entry *entries = realloc(reader->entries, (size_t)number * sizeof *entries);
        if (!entries) return ENOMEM;
        for (int i = reader->number; i < number; i++) entries[i] = (struct entry){-1, NULL};
        reader->entries = entries;
        reader->number = number;
    }
    if (epoll_ctl(reader->epoll, EPOLL_CTL_ADD, fd, &event)) return errno;
    reader->entries[id] = (struct entry){fd, NULL};
    return 0;
}

// Read it no more, before it is closed. What epoll has told of it is forgotten.
void reader_remove(struct reader *reader, int id) {
    if (id < 0 || id >= reader->number || reader->entries[id].fd < 0) return;
    epoll_ctl(reader->epoll, EPOLL_CTL_DEL, reader->entries[id].fd, NULL);
    reader->entries[id] = (struct entry){-1, NULL};
    for (int i = reader->next; i < reader->count; i++)
        if (reader->events[i].data.u32 == (uint32_t)id) reader->events[i].data.u32 = UINT32_MAX;
}

void reader_lane(struct reader *reader, int id, struct lane *lane) {
    if (id >= 0 && id < reader->number) reader->entries[id].lane = lane;
}

// Begin to look: so many datagrams at the most. `offset`: to add to the kernel's time, or NAN where it says
// nothing.
void reader_begin(struct reader *reader, int budget, double offset) {
    reader->budget = budget;
    reader->offset = offset;
    reader->taken = 0;
    reader->late = -1.0;
    reader->began = now();
}

static double arrival(struct reader *reader, struct msghdr *message) {
    struct cmsghdr *control = CMSG_FIRSTHDR(message);
    if (reader->offset == reader->offset && control && control->cmsg_level == SOL_SOCKET &&
        control->cmsg_type == SO_TIMESTAMPNS && control->cmsg_len >= CMSG_LEN(sizeof(struct timespec))) {
        struct timespec t;
        memcpy(&t, CMSG_DATA(control), sizeof t);
        double at = seconds(t) + reader->offset, waited = reader->began - at;
        if (waited > -CLOCK_STEP && waited < LONGEST_UNREAD) {
            if (reader->taken == 1) reader->late = now() - at;
            return at;
        }
    }
    return now();
}

static void note_sender(struct reader *reader, const struct sockaddr_storage *from, socklen_t size) {
    reader->port = ntohs(((const struct sockaddr_in *)from)->sin_port);  // where an IPv6 address has it too
    if (getnameinfo((const struct sockaddr *)from, size, reader->address, sizeof reader->address, NULL, 0, NI_NUMERICHOST))
        reader->address[0] = 0;
}

// Go on to what Python has to know: a lane that has a batch, a datagram that is no media, an error; NOTHING
// where all is read, ENOUGH where the budget is.
int reader_next(struct reader *reader) {
    while (reader->taken < reader->budget) {
        if (reader->next >= reader->count) {
            reader->next = 0;
            reader->count = epoll_wait(reader->epoll, reader->events, EVENTS, 0);
            if (reader->count <= 0) {
                reader->count = 0;
                return NOTHING;
            }
        }
        uint32_t id = reader->events[reader->next++].data.u32;
        if (id >= (uint32_t)reader->number || reader->entries[id].fd < 0) continue;
        struct entry *entry = &reader->entries[id];
        struct lane *lane = entry->lane && entry->lane->held < BATCH ? entry->lane : NULL;
        unsigned char *data = lane ? lane->came[lane->held] : reader->data;
        struct sockaddr_storage from = {0};
        union {
            struct cmsghdr header;
            char room[CMSG_SPACE(sizeof(struct timespec))];
        } control;
        struct iovec part = {data, LARGEST};
        struct msghdr message = {&from, sizeof from, &part, 1, &control, sizeof control, 0};
        ssize_t size = recvmsg(entry->fd, &message, MSG_DONTWAIT);
        reader->taken++;
        reader->id = (int)id;
        if (size < 0) {
            if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) continue;
            reader->error = errno;
            return FAILED;
        }
        double at = arrival(reader, &message);
        if (lane && size > 0 && data[0] >= 128 && data[0] <= 191) {  // RFC 7983
            lane->packets[lane->held].at = at;
            lane->packets[lane->held].length = (uint32_t)size;
            if (++lane->held == BATCH) return FULL;
            continue;
        }
        if (lane) memcpy(reader->data, data, (size_t)size);
        reader->size = (int)size;
        reader->at = at;
        note_sender(reader, &from, message.msg_namelen);
        return DATAGRAM;
    }
    return ENOUGH;
}

int reader_left(const struct reader *reader) { return reader->count - reader->next; }
