"""Reads TensorBoard's event files with nothing of unroll's, and prints what is in them.

    python3 read_events.py FILE ...

One line an event: `tag step value` for scalars, `tag step histogram num min max sum limits counts` for histograms.
Exits with 1, and says where, for a wrong checksum or bytes that are no protocol buffer.
"""
import struct
import sys


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def masked(data):
    crc = crc32c(data)
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def records(data):
    place = 0
    while place < len(data):
        head = data[place:place + 8]
        length, = struct.unpack('<Q', head)
        check, = struct.unpack('<I', data[place + 8:place + 12])
        assert check == masked(head), f'checksum of the length at byte {place}'
        body = data[place + 12:place + 12 + length]
        assert len(body) == length, f'cut off at byte {place}'
        check, = struct.unpack('<I', data[place + 12 + length:place + 16 + length])
        assert check == masked(body), f'checksum of the bytes at byte {place}'
        yield body
        place += 16 + length


def varint(data, place):
    value = shift = 0
    while True:
        byte = data[place]
        value |= (byte & 0x7F) << shift
        place, shift = place + 1, shift + 7
        if byte < 0x80:
            return value, place


def fields(data):
    place = 0
    while place < len(data):
        key, place = varint(data, place)
        number, wire = key >> 3, key & 7
        if wire == 0:
            value, place = varint(data, place)
        elif wire == 1:
            value, place = struct.unpack('<d', data[place:place + 8])[0], place + 8
        elif wire == 2:
            length, place = varint(data, place)
            value, place = data[place:place + length], place + length
            assert len(value) == length, 'a field is cut off'
        elif wire == 5:
            value, place = struct.unpack('<f', data[place:place + 4])[0], place + 4
        else:
            raise AssertionError(f'wire type {wire}')
        yield number, value


def doubles(data):
    return struct.unpack(f'<{len(data) // 8}d', data)


def show(value, step):
    entry = dict(fields(value))
    tag = entry[1].decode()
    if 2 in entry:
        print(tag, step, repr(entry[2]))
        return
    histogram = dict(fields(entry[5]))
    limits, counts = doubles(histogram[6]), doubles(histogram[7])
    assert len(limits) == len(counts) and list(limits) == sorted(limits)
    assert sum(counts) == histogram[3], 'the buckets do not hold all values'
    print(tag, step, 'histogram', *(repr(histogram[i]) for i in (3, 1, 2, 4)), len(limits),
          ' '.join(str(int(count)) for count in counts))


def main(paths):
    for path in paths:
        with open(path, 'rb') as file:
            events = [dict(fields(record)) for record in records(file.read())]
        assert events[0][3] == b'brain.Event:2', 'no file_version'
        assert all(event[1] > 1.6e9 for event in events), 'wall_time'
        for event in events[1:]:
            for number, value in fields(event[5]):
                assert number == 1
                show(value, event.get(2, 0))


if __name__ == '__main__':
    try:
        main(sys.argv[1:])
    except (AssertionError, IndexError, struct.error, KeyError) as error:
        print(f'refused: {error}')
        sys.exit(1)
