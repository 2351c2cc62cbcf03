"""The messages of an ONNX file, by the numbers of its fields (onnx.proto of ONNX 1.23).

What is `refused` reads other files, runs functions that the file brings along, trains, or says
on which devices something runs.
"""

from collections.abc import Mapping

MESSAGES: Mapping[str, str] = {
    "Model": """
        1 ir_version int
        2 producer_name text
        3 producer_version text
        4 domain text
        5 model_version int
        6 doc_string text
        7 graph Graph
        8 opset_import OperatorSet*
        14 metadata_props Entry*
        20 training_info refused
        25 functions refused
        26 configuration refused
    """,
    "OperatorSet": """
        1 domain text
        2 version int
    """,
    "Entry": """
        1 key text
        2 value text
    """,
    "Graph": """
        1 node Node*
        2 name text
        5 initializer Tensor*
        10 doc_string text
        11 input Value*
        12 output Value*
        13 value_info Value*
        14 quantization_annotation refused
        15 sparse_initializer refused
        16 metadata_props Entry*
    """,
    "Node": """
        1 input text*
        2 output text*
        3 name text
        4 op_type text
        5 attribute Attribute*
        6 doc_string text
        7 domain text
        8 overload refused
        9 metadata_props Entry*
        10 device_configurations refused
    """,
    "Attribute": """
        1 name text
        2 f float
        3 i int
        4 s bytes
        5 t Tensor
        6 g Graph
        7 floats float*
        8 ints int*
        9 strings bytes*
        10 tensors refused
        11 graphs refused
        13 doc_string text
        14 tp refused
        15 type_protos refused
        20 type int
        21 ref_attr_name refused
        22 sparse_tensor refused
        23 sparse_tensors refused
    """,
    "Tensor": """
        1 dims int*
        2 data_type int
        3 segment refused
        4 float_data float*
        5 int32_data int*
        6 string_data bytes*
        7 int64_data int*
        8 name text
        9 raw_data bytes
        10 double_data double*
        11 uint64_data int*
        12 doc_string text
        13 external_data refused
        14 data_location int
        16 metadata_props Entry*
    """,
    "Value": """
        1 name text
        2 type Type
        3 doc_string text
        4 metadata_props Entry*
    """,
    "Type": """
        1 tensor_type TensorType
        4 sequence_type Sequence
        5 map_type Map
        6 denotation text
        7 opaque_type refused
        8 sparse_tensor_type refused
        9 optional_type refused
    """,
    "TensorType": """
        1 elem_type int
        2 shape Shape
    """,
    "Shape": """
        1 dim Dimension*
    """,
    "Dimension": """
        1 dim_value int
        2 dim_param text
        3 denotation text
    """,
    "Sequence": """
        1 elem_type Type
    """,
    "Map": """
        1 key_type int
        2 value_type Type
    """,
}
